-- Dates that are none: zero, zero month, zero day, in columns that may and may not be null
SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION', time_zone = '+00:00';
INSERT INTO zeros VALUES (1, '0000-00-00', '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00', '0000');
INSERT INTO zeros VALUES (2, '2024-00-00', '2024-00-00', '2024-00-00 00:00:00', '2024-00-00 00:00:00', NULL, '2024-01-01 00:00:00', '2024-05-00', 0);
INSERT INTO zeros VALUES (3, '2024-02-00', '2024-02-00', '2024-02-00 10:00:00', '2024-02-00 10:00:00', NULL, '2024-01-01 00:00:00', '2024-05-01', 70);
INSERT INTO zeros (id, dn, dtn) VALUES (4, '2024-01-01', '2024-01-01');
UPDATE zeros SET d = NULL WHERE id = 1;
DELETE FROM zeros WHERE id = 2;
