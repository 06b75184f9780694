-- Filter in Groovy: what changed for the better, and what is gone; tombstones pass
INSERT INTO orders VALUES (1, 'eu', 'anna', 5, 10.50, 0.5, 1, 5000000000, '2024-02-29 12:00:00.123'), (2, 'us', 'bén', NULL, 0.00, -0.5, 0, NULL, NULL), (3, 'asia', NULL, 7, 99999.99, 1e300, NULL, -1, '1970-01-01 00:00:00');
INSERT INTO lines_ VALUES (1, 1, 'tea'), (1, 2, 'cup'), (2, 1, 'Ünï');
INSERT INTO notes VALUES ('first', 1), (NULL, NULL), ('first', 1);
UPDATE orders SET quantity = 6 WHERE id = 1;
UPDATE orders SET amount = 12.51, customer = '' WHERE id = 2;
UPDATE orders SET id = 4 WHERE id = 3;
UPDATE orders SET region = 'us', quantity = 3 WHERE id = 1;
UPDATE notes SET n = 2 WHERE n = 1;
DELETE FROM lines_ WHERE line = 2;
DELETE FROM orders WHERE id IN (1, 2);
DELETE FROM notes WHERE line IS NULL;
INSERT INTO orders (id, region) VALUES (5, 'eu');
