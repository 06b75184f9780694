-- Compressed transactions.
CREATE DATABASE corpus;
USE corpus;
CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(200), document JSON);
SET binlog_transaction_compression = ON;
INSERT INTO t (name, document) VALUES (REPEAT('compress me ', 10), '{"a":[1,2,3]}'), (REPEAT('compress me ', 12), NULL);
BEGIN;
UPDATE t SET name = REPEAT('again ', 20);
INSERT INTO t (name) SELECT CONCAT(REPEAT('many ', 30), a.id) FROM t a JOIN t b JOIN t c JOIN t d;
DELETE FROM t WHERE id < 3;
COMMIT;
