-- The transaction topic and the transaction block in Avro
BEGIN;
INSERT INTO t VALUES (1, 1), (2, 2);
UPDATE t SET v = 3;
COMMIT;
DELETE FROM t;
