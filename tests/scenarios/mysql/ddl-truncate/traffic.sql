-- TRUNCATE with skipped.operations=none, in both spellings
INSERT INTO t VALUES (1, 1);
TRUNCATE TABLE t;
INSERT INTO t VALUES (2, 2);
TRUNCATE keyless;
INSERT INTO keyless VALUES (1);
TRUNCATE TABLE `keyless`;
DELETE FROM t;
