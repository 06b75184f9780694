-- Partitioned tables: a topic for each partition
INSERT INTO readings VALUES (1, '2023-05-05', 1), (1, '2024-05-05', 2), (9, '2024-06-06', 3);
UPDATE readings SET v = 10 WHERE at = '2023-05-05';
UPDATE readings SET at = '2024-05-06' WHERE at = '2023-05-05';
DELETE FROM readings WHERE id = 9;
-- wait: readings_2024_b 3
CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO readings VALUES (1, '2025-01-01', 5);
ALTER TABLE readings DETACH PARTITION readings_2023;
INSERT INTO readings_2023 VALUES (7, '2023-07-07', 7);
