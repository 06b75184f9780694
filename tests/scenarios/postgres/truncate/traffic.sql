-- TRUNCATE of one and of several tables: skipped.operations=none
INSERT INTO items VALUES (1, 'a', 1, 'one');
INSERT INTO lines VALUES (1, 1);
TRUNCATE lines;
BEGIN;
INSERT INTO lines VALUES (2, 1);
TRUNCATE items CASCADE;
INSERT INTO items VALUES (2, 'b', 2, NULL);
COMMIT;
UPDATE items SET n = 5;
DELETE FROM items;
TRUNCATE items, lines RESTART IDENTITY;
