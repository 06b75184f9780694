-- Comments of tables and columns as documentation, and comments inside statements
INSERT INTO t VALUES (1, 'a', 1);
ALTER TABLE t ADD COLUMN x INT COMMENT 'added ü 日本', MODIFY w INT COMMENT 'now commented';
INSERT INTO t VALUES (2, 'b', 2, 3);
/* lead */ ALTER TABLE /*!99999 nothing */ t /* middle */ ADD COLUMN y INT /*! COMMENT 'conditional' */;
INSERT INTO t VALUES (3, 'c', 3, 4, 5);
ALTER TABLE t COMMENT 'another';
UPDATE t SET y = 6;
