-- Inheritance: a topic for each child
INSERT INTO cities VALUES (1, 'Mariposa', 1200);
INSERT INTO capitals VALUES (2, 'Sacramento', 369400, 'CA');
UPDATE cities SET population = population + 1;
DELETE FROM cities;
