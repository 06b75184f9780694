-- Kafka Connect's own transforms in one chain, with predicates, and errors.tolerance=all for those that fail
INSERT INTO orders VALUES (1, 5, 12.30, '2023-11-14 22:13:20.123456', 'pin', 'first', 1), (2, NULL, -0.01, NULL, NULL, NULL, NULL), (3, -32768, 99999999.99, '1969-12-31 23:59:59.999999', '', 'x', 3);
INSERT INTO orders (id) VALUES (4);
UPDATE orders SET qty = 7, note = 'second' WHERE id = 1;
UPDATE orders SET id = 9 WHERE id = 2;
INSERT INTO notes VALUES (1, 'one', 1), (2, NULL, NULL);
UPDATE notes SET body = 'changed' WHERE id = 1;
DELETE FROM notes WHERE id = 2;
INSERT INTO ignored VALUES (1), (2);
DELETE FROM orders WHERE id = 3;
INSERT INTO orders VALUES (10, 1, 1, '1500-01-01 00:00:00', 's', 'n', NULL);
