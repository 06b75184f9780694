-- Row images that do not have every column.
CREATE DATABASE corpus;
USE corpus;
CREATE TABLE images (id INT PRIMARY KEY, a INT, b VARCHAR(20), c TEXT, d BLOB, e BIGINT, f DATE, g TINYINT, h TINYINT, i TINYINT);
SET binlog_row_image = 'MINIMAL';
INSERT INTO images VALUES (1, 2, 'b', 'c', 'd', 5, '2026-01-01', 7, 8, 9), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO images (id, i) VALUES (3, 1);
UPDATE images SET b = 'changed', i = NULL WHERE id = 1;
DELETE FROM images WHERE id = 1;
SET binlog_row_image = 'NOBLOB';
UPDATE images SET a = 3 WHERE id = 2;
UPDATE images SET c = 'now there' WHERE id = 2;
DELETE FROM images WHERE id = 2;
