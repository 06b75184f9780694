-- A large transaction, in many events of the log
SET SESSION cte_max_recursion_depth = 10000;
BEGIN;
INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) SELECT i, REPEAT('v', 100 + i % 100) FROM n;
INSERT INTO u VALUES (1, 1);
UPDATE t SET v = 'short' WHERE id % 3 = 0;
DELETE FROM t WHERE id % 100 = 0;
INSERT INTO u VALUES (2, 2);
COMMIT;
