-- column.include.list
INSERT INTO people VALUES (1, 'anna', 's', 'n');
UPDATE people SET secret = 't';
UPDATE people SET name = 'eva';
DELETE FROM people;
