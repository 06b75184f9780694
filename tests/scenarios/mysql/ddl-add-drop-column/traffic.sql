-- Columns that come and go in mid-traffic: first, after, several at once, with defaults
INSERT INTO t VALUES (1, 1, 'a');
ALTER TABLE t ADD COLUMN x VARCHAR(10) NOT NULL DEFAULT 'dd' AFTER v;
INSERT INTO t VALUES (2, 2, 'x', 'b');
ALTER TABLE t ADD COLUMN f BOOLEAN FIRST, ADD (n1 INT, n2 INT DEFAULT 3), DROP COLUMN w;
INSERT INTO t (id) VALUES (3);
UPDATE t SET n1 = 1 WHERE id = 1;
ALTER TABLE t DROP v, DROP COLUMN n1;
UPDATE t SET n2 = 7;
ALTER TABLE t ADD COLUMN IF_ENUM ENUM('it''s','b') DEFAULT 'b';
INSERT INTO t (id, IF_ENUM) VALUES (4, 'it''s');
DELETE FROM t;
