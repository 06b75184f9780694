-- Rows that were there before the connector: not read, but updated and deleted
UPDATE t SET v = 10 WHERE id = 1;
DELETE FROM t WHERE id = 2;
INSERT INTO t VALUES (4, 4);
