-- json, jsonb and xml
INSERT INTO documents VALUES (1, '{"b":  1, "a": [true, null, 1.50, "ü"], "b": 2}', '{"b":  1, "a": [true, null, 1.50, "ü"], "b": 2}', '<r a="1">text<e/></r>', '{}', '{}');
INSERT INTO documents VALUES (2, 'null', 'null', '<!-- nothing -->', '1', '"s"'), (3, '"\u00e4\n\"/"', '"\u00e4\n\"/"', 'plain text', '[]', NULL), (4, ' [ 1 , 2 ] ', '1e400', '<a/><b/>', '12345678901234567890.123456789012345678901', '-0.0');
INSERT INTO documents (id) VALUES (5);
UPDATE documents SET b = b || '{"c": 3}' WHERE id = 1;
