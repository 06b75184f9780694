-- Invisible columns
INSERT INTO t VALUES (1, 1);
INSERT INTO t (id, a, hidden) VALUES (2, 2, 3);
UPDATE t SET hidden = 5;
ALTER TABLE t ADD COLUMN c INT INVISIBLE;
INSERT INTO t (id, c) VALUES (3, 9);
DELETE FROM t WHERE id = 1;
