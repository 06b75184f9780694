-- ByLogicalTableRouter: tables without a key, whose records get none
INSERT INTO keyless_1 VALUES ('a'), (NULL);
UPDATE keyless_1 SET v = 'b' WHERE v IS NULL;
DELETE FROM keyless_1;
INSERT INTO orders_1 (id) VALUES (1);
