-- ExtractNewRecordState with the options of Debezium 2
INSERT INTO orders VALUES (1, 'anna', 10.50, NULL, '2024-02-29 12:00:00.123', 5), (2, 'bén', 0.00, 'x', NULL, NULL);
INSERT INTO lines_ VALUES (1, 1, 'tea'), (1, 2, 'cup');
UPDATE orders SET amount = 11.00 WHERE id = 1;
UPDATE orders SET id = 3 WHERE id = 2;
DELETE FROM lines_ WHERE line = 2;
DELETE FROM orders WHERE id = 1;
