-- MariaDB's own: UUID, INET6, compressed columns, JSON as text, compressed events.
CREATE DATABASE corpus;
USE corpus;
CREATE TABLE own (id INT PRIMARY KEY, u UUID, i6 INET6, i4 INET4, j JSON, cv VARCHAR(500) COMPRESSED, cs VARCHAR(100) COMPRESSED,
  ct TEXT COMPRESSED, cb MEDIUMBLOB COMPRESSED, name VARCHAR(20) CHARACTER SET latin1, y YEAR, s SMALLINT UNSIGNED, b BIT(3), e ENUM('x','y'));
INSERT INTO own VALUES (1, '123e4567-e89b-12d3-a456-426614174000', '2001:db8::1', '10.0.0.1', '{"a": 1}', REPEAT('v', 400), 'short',
  REPEAT('t', 2000), REPEAT(x'00', 3000), 'latin ü', 2026, 65535, b'101', 'y');
INSERT INTO own (id, cv, cs, ct, cb) VALUES (2, '', '', '', ''), (3, NULL, NULL, NULL, NULL);
UPDATE own SET cv = 'x' WHERE id = 1;
DELETE FROM own WHERE id = 2;
