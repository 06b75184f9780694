-- A table of 600 columns
INSERT INTO wide (id, c1, c300, c600) VALUES (1, 1, 300, 600);
UPDATE wide SET c2 = 2;
