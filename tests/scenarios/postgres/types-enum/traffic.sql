-- Enums, and values added in mid-stream
INSERT INTO people VALUES (1, 'sad', 'ok'), (2, 'it''s "odd", isn''t it', NULL);
INSERT INTO people (id) VALUES (3);
-- wait: people 3
ALTER TYPE mood ADD VALUE 'happy';
ALTER TYPE mood ADD VALUE 'gloomy' BEFORE 'sad';
INSERT INTO people VALUES (4, 'happy', 'gloomy');
-- wait: people 4
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';
INSERT INTO people VALUES (5, 'blue', NULL);
UPDATE people SET m = 'happy' WHERE id = 1;
-- wait: people 6
ALTER TABLE people ADD COLUMN extra INT;
INSERT INTO people VALUES (6, 'gloomy', 'blue', 1);
