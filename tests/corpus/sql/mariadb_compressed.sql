-- Compressed query and rows events: log_bin_compress.
CREATE DATABASE corpus;
USE corpus;
SET GLOBAL log_bin_compress_min_len = 10, GLOBAL log_bin_compress = ON;
CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(300) COMMENT 'a comment that is long, a comment that is long, a comment that is long');
INSERT INTO t VALUES (1, REPEAT('compress me ', 20)), (2, REPEAT('compress me ', 21));
UPDATE t SET name = REPEAT('again ', 40);
DELETE FROM t;
SET GLOBAL log_bin_compress = OFF;
