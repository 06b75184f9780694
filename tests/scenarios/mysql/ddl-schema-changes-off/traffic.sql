-- include.schema.changes=false: the history knows, the topic does not
INSERT INTO t VALUES (1, 1);
ALTER TABLE t ADD COLUMN w INT;
INSERT INTO t VALUES (2, 2, 2);
