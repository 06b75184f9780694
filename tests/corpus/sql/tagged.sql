-- GTIDs with tags, and PREVIOUS_GTIDS with them.
CREATE DATABASE corpus;
USE corpus;
CREATE TABLE t (id INT PRIMARY KEY);
SET gtid_next = 'AUTOMATIC:release';
INSERT INTO t VALUES (1);
INSERT INTO t VALUES (2);
SET gtid_next = 'AUTOMATIC:_a_tag_that_is_thirty_two_chars1';
INSERT INTO t VALUES (3);
SET gtid_next = 'ffffffff-0000-1111-2222-333333333333:tag:9000000000';
INSERT INTO t VALUES (4);
SET gtid_next = 'AUTOMATIC';
FLUSH BINARY LOGS;
INSERT INTO t VALUES (5);
