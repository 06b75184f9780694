-- A label that is added to an enumeration is in the schema from its first row on, as Debezium 3.7 has it
INSERT INTO people VALUES (1, 'ok', 'sad');
INSERT INTO others VALUES (1, 'ok');
-- wait: people 1
-- wait: others 1
ALTER TYPE mood ADD VALUE 'happy' BEFORE 'ok';
INSERT INTO people VALUES (2, 'sad', 'sad');
INSERT INTO people VALUES (3, NULL, 'happy');
-- wait: people 3
UPDATE people SET m = 'sad' WHERE id = 1;
DELETE FROM people WHERE id = 3;
-- wait: people 6
INSERT INTO others VALUES (2, 'happy');
-- wait: others 2
