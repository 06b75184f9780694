-- column.exclude.list, also of a key, and of a column that comes later
INSERT INTO people VALUES (1, 'anna', 's', 'n');
UPDATE people SET secret = 't';
ALTER TABLE people ADD COLUMN secret2 INT, ADD COLUMN open INT;
INSERT INTO people VALUES (2, 'ben', 's', 'n', 1, 2);
INSERT INTO pairs VALUES (1, 2, 3);
UPDATE pairs SET c = 4;
DELETE FROM people;
