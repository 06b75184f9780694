-- message.key.columns
INSERT INTO items VALUES (1, 'a', 1, 'one');
UPDATE items SET t = 'two';
UPDATE items SET n = 2;
DELETE FROM items;
INSERT INTO loose VALUES (1, 'x'), (2, NULL);
UPDATE loose SET b = 'y' WHERE a = 1;
DELETE FROM loose;
