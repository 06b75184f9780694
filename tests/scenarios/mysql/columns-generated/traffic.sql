-- Generated columns, virtual and stored, also as key
INSERT INTO t (id, a, b) VALUES (1, 1, 'x'), (2, NULL, NULL);
UPDATE t SET a = 5 WHERE id = 1;
ALTER TABLE t ADD COLUMN w INT AS (a + 100) VIRTUAL AFTER a;
INSERT INTO t (id, a, b) VALUES (3, 3, 'z');
ALTER TABLE t DROP COLUMN s;
DELETE FROM t WHERE id = 1;
