-- ByLogicalTableRouter: shards to one topic, the shard's number in the key
INSERT INTO orders_1 VALUES (1, 'a', 1), (2, NULL, NULL);
INSERT INTO orders_2 VALUES (1, 'b', 1);
INSERT INTO other VALUES (1);
UPDATE orders_1 SET v = 'c' WHERE id = 1;
UPDATE orders_2 SET id = 5 WHERE id = 1;
DELETE FROM orders_1 WHERE id = 2;
INSERT INTO orders_2 (id) VALUES (9);
