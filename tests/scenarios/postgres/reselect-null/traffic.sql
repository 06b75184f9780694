-- Nulls are read again: a value that a later statement of the same transaction has set
BEGIN;
INSERT INTO items VALUES (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
UPDATE items SET i = 1, l = 2, t = 'three', b = true, f = 5.5, n = 6.25, d = 'seven', u = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', j = '{"a": 1}' WHERE id = 1;
COMMIT;
INSERT INTO items (id, t) VALUES (2, 'the others are null, and stay so');
BEGIN;
INSERT INTO items (id) VALUES (3);
UPDATE items SET id = 4 WHERE id = 3;
UPDATE items SET t = 'behind a change of the key' WHERE id = 4;
COMMIT;
DELETE FROM items WHERE id = 2;
