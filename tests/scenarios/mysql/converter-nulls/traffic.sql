-- Nulls in columns with defaults: replaced, or kept
INSERT INTO t VALUES (1, NULL, NULL), (2, 'x', 1);
UPDATE t SET n = NULL;
DELETE FROM t;
