-- EventRouter over columns of other names and types; topics keep what is dated long ago
INSERT INTO events VALUES (1, 7, 'order', 'Created', 'plain text', '2024-02-29 12:00:00.123');
INSERT INTO events VALUES (2, -1, 'customer', 'Moved', '', '1970-01-01 00:00:00.001');
INSERT INTO events VALUES (3, 7, 'order', 'Closed', NULL, '2024-02-29 12:00:00.5');
DELETE FROM events;
INSERT INTO events VALUES (4, 7, 'customer', NULL, 'größe', '2024-02-29 12:00:00.5');
-- wait: topic ${PREFIX}.event.customer 2
