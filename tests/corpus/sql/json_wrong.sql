-- The values for which Debezium's library writes a wrong text, and Headwater on purpose another one.
CREATE DATABASE corpus;
USE corpus;
SET binlog_transaction_compression = ON;
CREATE TABLE documents (id INT PRIMARY KEY AUTO_INCREMENT, document JSON);
INSERT INTO documents (document) VALUES (CAST(CAST(3000000000 AS UNSIGNED) AS JSON)), (JSON_OBJECT('a', CAST(3000000000 AS UNSIGNED))),
  (JSON_OBJECT('z', REPEAT('z', 70000), 'u', CAST(70000 AS UNSIGNED))), (CAST(CAST('-02:30:15' AS TIME) AS JSON)), (CAST(CAST('-00:00:01.5' AS TIME(1)) AS JSON));
