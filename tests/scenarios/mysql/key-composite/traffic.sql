-- Keys of several columns, in the order of the key and of several types
INSERT INTO composite VALUES (1, 1, 'x', '2024-01-01'), (2, 2, 'ü', '2024-01-02');
UPDATE composite SET v = v + 1;
DELETE FROM composite WHERE a = 1;
INSERT INTO binary_key VALUES (0x00FF01, 1), ('a', 2);
UPDATE binary_key SET v = 3;
DELETE FROM binary_key;
INSERT INTO decimal_key VALUES (1.50, 'x', 1), (-0.01, 'y', 2);
DELETE FROM decimal_key;
