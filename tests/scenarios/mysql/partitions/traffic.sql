-- Topics with several partitions: which record goes where
INSERT INTO spread WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) SELECT i, 'a' FROM n;
UPDATE spread SET v = 'b' WHERE id % 7 = 0;
UPDATE spread SET id = id + 1000 WHERE id < 4;
DELETE FROM spread WHERE id % 5 = 0;
INSERT INTO spread_text VALUES ('a', 1), ('b', 1), ('', 1), ('ü', 1), ('日本', 1), ('long key with blanks', 1), ('"q"', 1), ('z', 1);
DELETE FROM spread_text;
INSERT INTO spread_two VALUES (1, '2024-01-01', 1), (-1, '1960-01-01', 1), (9007199254740993, '2024-01-01', 1);
