-- Every kind of value that binary JSON has; the text beside it is what Debezium's library writes.
CREATE DATABASE corpus;
USE corpus;
-- A large document has 64 KiB or more: compression keeps the file small.
SET binlog_transaction_compression = ON;
CREATE TABLE documents (id INT PRIMARY KEY AUTO_INCREMENT, document JSON);
INSERT INTO documents (document) VALUES
  ('null'), ('true'), ('false'), ('0'), ('-1'), ('32767'), ('-32768'), ('32768'), ('65536'), ('2147483647'), ('-2147483648'),
  ('2147483648'), ('9223372036854775807'), ('-9223372036854775808'), ('18446744073709551615'), ('1.0'), ('-0.0'), ('0.1'), ('3.14159'),
  ('1e6'), ('9999999.5'), ('1e7'), ('12345678.9'), ('0.001'), ('0.0009'), ('1e-5'), ('1.5e10'), ('1e100'), ('-1.7976931348623157e308'),
  ('5e-324'), ('2.2250738585072014e-308'), ('1e23'), ('0.30000000000000004'), ('100.25'),
  ('""'), ('"a"'), ('"quote \\" backslash \\\\ slash / newline \\n tab \\t return \\r feed \\f back \\b bell \\u0007 escape \\u001f delete \\u007f"'),
  ('"ü € 😀"'), ('{}'), ('[]'), ('[[]]'), ('[{}]'), ('{"a":null}'), ('{"b":1,"a":2,"aa":3,"":4}'),
  ('{"a":{"b":{"c":[1,2,{"d":[true,false,null]}]}}}'), ('[1,-1,70000,-70000,5000000000,"x",1.25,[],{}]'), ('{"key \\"quoted\\"":"v"}');
INSERT INTO documents (document) VALUES
  (CAST(CAST('2026-11-21' AS DATE) AS JSON)), (CAST(CAST('08:01:02' AS TIME) AS JSON)), (CAST(CAST('08:01:02.120000' AS TIME(6)) AS JSON)),
  (CAST(CAST('-08:01:02.5' AS TIME(1)) AS JSON)), (CAST(CAST('838:59:59' AS TIME) AS JSON)), (CAST(CAST('2026-11-21 08:01:02' AS DATETIME) AS JSON)),
  (CAST(CAST('2026-11-21 08:01:02.000120' AS DATETIME(6)) AS JSON)), (CAST(TIMESTAMP('1970-01-01 00:00:01') AS JSON)),
  (CAST(CAST('0001-02-03' AS DATE) AS JSON)), (CAST(CAST(1.50 AS DECIMAL(10,2)) AS JSON)), (CAST(CAST(-0.000001 AS DECIMAL(20,6)) AS JSON)),
  (CAST(CAST(0 AS DECIMAL(5,2)) AS JSON)), (CAST(CAST('12345678901234567890123456789012345.123456789012345678901234567890' AS DECIMAL(65,30)) AS JSON)),
  (CAST(CAST(-999999999999 AS DECIMAL(12,0)) AS JSON)), (CAST(0.5 AS JSON)),
  (CAST(x'00ff' AS JSON)), (CAST(b'1010' AS JSON)), (CAST(ST_GeomFromText('POINT(1 2)') AS JSON)),
  (JSON_OBJECT('u', CAST(40000 AS UNSIGNED), 'v', CAST(3000000 AS UNSIGNED), 'w', CAST(18446744073709551615 AS UNSIGNED))),
  (JSON_ARRAY(CAST('2026-11-21' AS DATE), 1.10, x'01')),
  (JSON_OBJECT('long', REPEAT('x', 200), 'longer', REPEAT('y', 2000)));
SELECT JSON_OBJECTAGG(CONCAT('k', n), n) INTO @large FROM (SELECT a.help_topic_id * 40 + b.help_topic_id AS n FROM (SELECT 0 AS help_topic_id UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) a JOIN (SELECT 5 AS help_topic_id UNION SELECT 6 UNION SELECT 70000) b) numbers;
INSERT INTO documents (document) VALUES (JSON_OBJECT('large', REPEAT('z', 66000), 'int', 70000, 'negative', -70000, 'unsigned', CAST(70000 AS UNSIGNED), 'array', JSON_ARRAY(1, 100000, true, NULL, 'a'))), (@large);
