-- EnforceRecordSize: long texts and bytes are cut by their share. Without GTIDs, whose length would be part of the size
INSERT INTO pages VALUES (1, REPEAT('a', 1000), REPEAT('b', 3000), REPEAT('c', 500), 1, '{"a": 1}', NULL);
INSERT INTO pages VALUES (2, REPEAT('ä', 1000), REPEAT('€', 2000), NULL, 2, NULL, 'x');
INSERT INTO pages VALUES (3, 'short', 'short', 'short', 3, NULL, 'x');
INSERT INTO pages (id, b) VALUES (4, REPEAT('b', 5000));
UPDATE pages SET a = REPEAT('z', 2000), doc = JSON_OBJECT('t', REPEAT('x', 2000)) WHERE id = 1;
UPDATE pages SET id = 5 WHERE id = 2;
DELETE FROM pages WHERE id = 1;
INSERT INTO prices VALUES (1, 'small', 1.50);
