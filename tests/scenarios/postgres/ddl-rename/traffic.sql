-- Columns and tables renamed in mid-stream
INSERT INTO items VALUES (1, 'a', 1, 'one');
-- wait: items 1
ALTER TABLE items RENAME COLUMN n TO amount;
INSERT INTO items VALUES (2, 'b', 2, 'two');
-- wait: items 2
ALTER TABLE items RENAME TO goods;
INSERT INTO goods VALUES (3, 'c', 3, 'three');
-- wait: goods 1
CREATE SCHEMA shop;
ALTER TABLE goods SET SCHEMA shop;
INSERT INTO shop.goods VALUES (4, 'd', 4, 'four');
