-- Partitioned tables in a filtered publication through their root
INSERT INTO readings VALUES (1, '2023-05-05', 1), (1, '2024-05-05', 2), (9, '2024-06-06', 3);
UPDATE readings SET v = 10 WHERE at = '2023-05-05';
DELETE FROM readings WHERE id = 9;
