-- Nulls are read again: a value that a later statement of the same transaction has set
START TRANSACTION;
INSERT INTO items (id, d) VALUES (1, NULL), (2, NULL);
INSERT INTO items (id, t) VALUES (3, 'the others are null, and stay so');
UPDATE items SET i = 1, l = 2, t = 'three', v = 'it''s four', n = 5.25, d = 'six' WHERE id = 1;
UPDATE items SET t = NULL, v = 'ü' WHERE id = 3;
COMMIT;
