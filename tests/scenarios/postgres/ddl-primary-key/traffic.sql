-- The key changed in mid-stream
INSERT INTO items VALUES (1, 'a', 1, 'one');
-- wait: items 1
ALTER TABLE items DROP CONSTRAINT items_pkey, ADD PRIMARY KEY (code);
INSERT INTO items VALUES (2, 'b', 2, 'two');
UPDATE items SET n = 3 WHERE code = 'b';
-- wait: items 3
ALTER TABLE items DROP CONSTRAINT items_pkey;
INSERT INTO items VALUES (3, 'c', 2, 'two');
