-- Columns added and dropped in mid-stream
INSERT INTO items VALUES (1, 'a', 1, 'one');
-- wait: items 1
ALTER TABLE items ADD COLUMN added INT;
INSERT INTO items VALUES (2, 'b', 2, 'two', 22);
-- wait: items 2
ALTER TABLE items DROP COLUMN n;
INSERT INTO items VALUES (3, 'c', 'three', 33);
UPDATE items SET added = 44 WHERE id = 1;
-- wait: items 4
ALTER TABLE items ADD COLUMN must TEXT NOT NULL DEFAULT 'given';
UPDATE items SET t = 'four' WHERE id = 2;
INSERT INTO items VALUES (5, 'e', 'five', 55, 'told');
