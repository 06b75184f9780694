-- column.mask.hash
INSERT INTO inventory.products VALUES (1, 'tea', 's1'), (2, 'ünïcode', NULL);
INSERT INTO inventory.orders VALUES (1, 1, '1234567890');
INSERT INTO outside VALUES (1, 'x');
UPDATE inventory.products SET secret = 's2' WHERE id = 1;
UPDATE inventory.products SET name = 'coffee' WHERE id = 1;
DELETE FROM inventory.orders;
