-- Types of columns changed in mid-stream
INSERT INTO items VALUES (1, 'a', 1, 'one');
-- wait: items 1
ALTER TABLE items ALTER COLUMN n TYPE BIGINT;
INSERT INTO items VALUES (2, 'b', 9223372036854775807, 'two');
-- wait: items 2
ALTER TABLE items ALTER COLUMN n TYPE TEXT USING n::text;
INSERT INTO items VALUES (3, 'c', 'text', 'three');
-- wait: items 3
ALTER TABLE items ALTER COLUMN code TYPE VARCHAR(5);
INSERT INTO items VALUES (4, 'd', 'x', 'four');
-- wait: items 4
ALTER TABLE items ALTER COLUMN code TYPE VARCHAR(9), ALTER COLUMN t TYPE NUMERIC(5,1) USING 1;
INSERT INTO items VALUES (5, 'e', 'x', 1.5);
