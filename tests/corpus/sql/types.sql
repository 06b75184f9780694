-- Every type that MySQL and MariaDB share: a row of usual values, one of extremes, one of nulls.
CREATE DATABASE corpus;
USE corpus;
CREATE TABLE types (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT, c_tiny TINYINT, c_utiny TINYINT UNSIGNED, c_small SMALLINT,
  c_year YEAR, c_medium MEDIUMINT UNSIGNED, c_int INT, c_big BIGINT UNSIGNED, c_float FLOAT, c_double DOUBLE,
  c_decimal DECIMAL(65,30), c_money DECIMAL(12,2) UNSIGNED, c_bit1 BIT(1), c_bit17 BIT(17), c_bit64 BIT(64),
  c_date DATE, c_time TIME, c_time6 TIME(6), c_datetime DATETIME, c_datetime3 DATETIME(3),
  c_timestamp TIMESTAMP NULL, c_timestamp5 TIMESTAMP(5) NULL,
  c_char CHAR(10), c_widechar CHAR(255) CHARACTER SET utf8mb4, c_varchar VARCHAR(60), c_long VARCHAR(600),
  c_latin VARCHAR(30) CHARACTER SET latin1, c_binary BINARY(5), c_varbinary VARBINARY(300),
  c_tinytext TINYTEXT, c_text TEXT, c_mediumtext MEDIUMTEXT, c_longblob LONGBLOB,
  c_enum ENUM('small','middle','große') CHARACTER SET utf8mb4, c_set SET('a','b','c','d','e','f','g','h','i') CHARACTER SET latin1,
  c_point POINT, c_geometry GEOMETRY,
  PRIMARY KEY (id, c_utiny), KEY (c_varchar(10))
) DEFAULT CHARSET=utf8mb4;
INSERT INTO types VALUES (1, -5, 200, -300, 2026, 16000000, -70000, 18446744073709551615, 1.5, -2.25,
  -12345678901234567890123456789012345.123456789012345678901234567890, 12.34, b'1', b'10000000000000001', 1,
  '2026-11-21', '-12:34:56', '838:59:58.123456', '2026-11-21 08:00:01', '2026-11-21 08:00:01.123',
  '2026-11-21 08:00:01', '2026-11-21 08:00:01.12345',
  'char', 'wide ü', 'varchar', REPEAT('l', 300), 'latin ü', x'0102', x'ff00ff', 'tiny', 'text', 'medium', x'00ff00',
  'große', 'a,i', ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('LINESTRING(0 0,1 1)'));
INSERT INTO types (id, c_utiny) VALUES (2, 0);
SET sql_mode = '';
INSERT INTO types (id, c_utiny, c_date, c_datetime, c_timestamp, c_enum, c_set, c_year, c_decimal, c_varchar) VALUES
  (3, 255, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '', '', 0, 0, ''),
  (4, 1, '9999-12-31', '1000-01-01 00:00:00', '1970-01-01 23:59:59', 1, 'i', 1901, 99999999999999999999999999999999999.999999999999999999999999999999, 'z');
UPDATE types SET c_varchar = 'changed', c_text = NULL, c_int = NULL WHERE id < 3;
DELETE FROM types WHERE id = 4;
