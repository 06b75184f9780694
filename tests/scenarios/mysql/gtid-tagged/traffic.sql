-- GTIDs with tags, of several kinds beside each other, with transaction metadata
INSERT INTO orders VALUES (1, 'no tag');
SET gtid_next = 'AUTOMATIC:checkout';
INSERT INTO orders VALUES (2, 'tagged');
START TRANSACTION;
UPDATE orders SET note = 'changed' WHERE id = 1;
DELETE FROM orders WHERE id = 2;
COMMIT;
ALTER TABLE orders ADD COLUMN more INT NULL;
SET gtid_next = 'AUTOMATIC:batch_2026';
INSERT INTO orders VALUES (3, 'another tag', 1);
SET gtid_next = 'AUTOMATIC';
INSERT INTO orders VALUES (4, 'no tag again', 2);
