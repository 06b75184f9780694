-- skipped.operations: no updates, no truncates
INSERT INTO t VALUES (1, 1), (2, 2);
UPDATE t SET v = 5;
UPDATE t SET id = 7 WHERE id = 1;
DELETE FROM t WHERE id = 2;
TRUNCATE t;
