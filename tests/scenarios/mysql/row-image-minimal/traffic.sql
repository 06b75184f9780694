-- binlog_row_image=MINIMAL: only what the server says
SET SESSION binlog_row_image = 'MINIMAL';
INSERT INTO t VALUES (1, 'a', 'text', 1.5, 'blob', '{"a": 1}');
INSERT INTO t (id, v) VALUES (2, 'b');
UPDATE t SET v = 'c' WHERE id = 1;
UPDATE t SET t = 'changed' WHERE id = 1;
UPDATE t SET id = 5 WHERE id = 1;
DELETE FROM t WHERE id = 2;
INSERT INTO keyless VALUES (1, 'x');
UPDATE keyless SET b = 'y';
DELETE FROM keyless;
SET SESSION binlog_row_image = 'FULL';
UPDATE t SET v = 'd';
