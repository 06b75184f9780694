-- Avro with a registry
INSERT INTO t VALUES (1, 'ü "q"', 1.25, 0x00FF, 1.5, '2024-01-01 00:00:00.123'), (2, NULL, NULL, NULL, NULL, NULL);
UPDATE t SET v = 'y' WHERE id = 1;
UPDATE t SET id = 3 WHERE id = 1;
DELETE FROM t;
INSERT INTO keyless VALUES (1);
