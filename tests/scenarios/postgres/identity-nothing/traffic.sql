-- REPLICA IDENTITY NOTHING: only inserts can be published
INSERT INTO items VALUES (1, 'a', 1, 'one'), (2, 'b', 2, NULL), (3, 'c', NULL, 'three');
UPDATE items SET n = 10 WHERE id = 1;
UPDATE items SET code = 'bb', t = 'two' WHERE id = 2;
UPDATE items SET id = 30 WHERE id = 3;
UPDATE items SET id = id;
DELETE FROM items WHERE id = 1;
DELETE FROM items WHERE id = 30;
