-- Character types
INSERT INTO words VALUES (1, 'ab', 'x', 'hello', 'open', 'text', 'name', 'c', 'd', 'e', 's');
INSERT INTO words (id, c, v, t) VALUES (2, '', '', ''), (3, 'äöü', '日本語', E'line\nbreak\ttab\\back"quote'), (4, '🎉', '🎉🎉', repeat('long ', 1000));
INSERT INTO words (id) VALUES (5);
INSERT INTO words (id, t) VALUES (6, E'\u0001\u001f\u007f\u0080\u2028');
UPDATE words SET v = 'changed', c = 'q' WHERE id = 1;
DELETE FROM words WHERE id = 2;
