-- Defaults and NOT NULL changed in mid-stream
INSERT INTO items (id, code) VALUES (1, 'a');
-- wait: items 1
ALTER TABLE items ALTER COLUMN n SET DEFAULT 5;
INSERT INTO items (id, code) VALUES (2, 'b');
-- wait: items 2
ALTER TABLE items ADD COLUMN later INT;
INSERT INTO items (id, code) VALUES (3, 'c');
-- wait: items 3
UPDATE items SET n = 0;
-- wait: items 6
ALTER TABLE items ALTER COLUMN n SET NOT NULL, ADD COLUMN last TEXT;
INSERT INTO items (id, code) VALUES (4, 'd');
