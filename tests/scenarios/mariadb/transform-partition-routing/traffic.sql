-- PartitionRouting: the partition by a text and a number
SET time_zone = '+00:00';
INSERT INTO goods VALUES (1, 'europe', 1, 1, 1, 1, 1.5, 1.5, 1.50, '2024-01-01', '2024-01-01 00:00:00.001', 'a', 0, 'abc', 2024, '{"a": 1}', '2024-01-01 00:00:00');
INSERT INTO goods VALUES (2, 'asia', -1, -1, -1, -1, -0.0, -0.0, -1.50, '1960-01-01', '1960-01-01 00:00:00.001', 'b', 1, '', 1999, '[]', '2024-06-01 00:00:00');
INSERT INTO goods VALUES (3, 'größe €', 2147483647, 9223372036854775807, 127, 32767, 1e300, 1e30, 99999999.99, '9999-12-31', '9999-12-31 23:59:59.999', 'a', 1, x'80ff', 2155, '"x"', NULL);
INSERT INTO goods (id) VALUES (4);
INSERT INTO goods VALUES (5, '', -2147483648, -9223372036854775808, -128, -32768, 0.1, 0.1, 0.00, '1970-01-01', '1970-01-01 00:00:00', 'b', 0, x'00', 1970, 'null', '2038-01-19 03:14:07');
INSERT INTO goods VALUES (6, '😀', 77, 4294967296, 7, 7, 3.14159, 2.71828, 12.34, '2024-02-29', '2024-02-29 12:00:00', 'a', 0, 'zz', 2000, '1', '2020-02-29 12:00:00');
UPDATE goods SET region = 'africa', n = n - 1 WHERE id IN (1, 3);
DELETE FROM goods WHERE id IN (1, 3, 4);
