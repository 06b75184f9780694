-- column.mask.hash, both versions, several algorithms, a column that is too short for it
INSERT INTO people VALUES (1, 'hash me', 'hash me', 'hash me', 'hash me', 5), (2, NULL, NULL, NULL, '', NULL), (3, '', '', '', 'ü', 0), (4, '日本 😀', '日本 😀', '日本 😀', 'x', 1);
UPDATE people SET h1 = 'other' WHERE id = 1;
DELETE FROM people WHERE id = 1;
