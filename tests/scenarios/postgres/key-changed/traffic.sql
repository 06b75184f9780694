-- A changed key: a deletion, a tombstone and an insertion
INSERT INTO items VALUES (1, 'a', 1, 'one');
UPDATE items SET id = 2, n = 3;
BEGIN;
UPDATE items SET id = 3;
UPDATE items SET id = 4, t = 'x';
COMMIT;
