-- Integers, serials and booleans at their edges
INSERT INTO integers (a, b, c, d, g) VALUES (-32768, -2147483648, -9223372036854775808, false, 0);
INSERT INTO integers (a, b, c, d, g, h, i) VALUES (32767, 2147483647, 9223372036854775807, true, 4294967295, 5, NULL);
INSERT INTO integers (a, b, c, d) VALUES (NULL, NULL, NULL, NULL), (0, 0, 0, false);
UPDATE integers SET a = 1, d = true WHERE a = 0;
DELETE FROM integers WHERE a IS NULL;
