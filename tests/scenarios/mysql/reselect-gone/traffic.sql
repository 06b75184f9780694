-- A row that is gone by then goes out as it came
START TRANSACTION;
INSERT INTO items (id) VALUES (1), (2), (3);
UPDATE items SET t = 'kept' WHERE id = 2;
UPDATE items SET id = 4, t = 'moved' WHERE id = 3;
DELETE FROM items WHERE id = 1;
COMMIT;
