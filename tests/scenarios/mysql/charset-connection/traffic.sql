-- Statements that come in another character set
SET NAMES latin1;
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20) DEFAULT 'plain');
INSERT INTO t (id) VALUES (1);
SET NAMES utf8mb4;
ALTER TABLE t ADD COLUMN `größe` VARCHAR(20) DEFAULT 'süß' COMMENT 'ß';
INSERT INTO t (id) VALUES (2);
