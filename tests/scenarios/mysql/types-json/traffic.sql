-- JSON documents of every kind, and updates of parts of them
INSERT INTO documents VALUES (1, '{"a": 1, "b": [true, false, null], "c": {"d": "text", "e": 1.5}}', 1);
INSERT INTO documents VALUES (2, '[]', 1), (3, '{}', 1), (4, 'null', 1), (5, NULL, 1), (6, '"text"', 1), (7, '12', 1), (8, '-1.25e10', 1), (9, 'true', 1);
INSERT INTO documents VALUES (10, '{"unicode": "日本 😀 ü", "escapes": "\\"q\\" \\\\ \\n \\t \\u0001", "": "empty name", "big": 18446744073709551615, "small": -9223372036854775808, "int32": 2147483648, "int16": 40000}', 1);
INSERT INTO documents VALUES (11, '{"z": 1, "aa": 2, "b": 3, "nested": [[[[1]]], {"x": {}}]}', 1);
INSERT INTO documents VALUES (12, CONCAT('{"long": "', REPEAT('x', 70000), '", "after": [1, 2, 3]}'), 1);
INSERT INTO documents VALUES (13, '[0.1, 1.0, 100, 1e100, 1e-7, 123456789.123456789, 0, -0.0]', 1);
UPDATE documents SET j = JSON_SET(j, '$.a', 2) WHERE id = 1;
UPDATE documents SET j = JSON_REMOVE(j, '$.b'), n = 2 WHERE id = 1;
UPDATE documents SET j = JSON_ARRAY_APPEND(j, '$', 'new') WHERE id = 2;
DELETE FROM documents WHERE id = 12;
