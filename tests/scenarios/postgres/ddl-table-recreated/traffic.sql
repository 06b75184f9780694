-- A table dropped and made anew with other columns
INSERT INTO items VALUES (1, 'a', 1, 'one');
-- wait: items 1
DROP TABLE items;
CREATE TABLE items (code TEXT PRIMARY KEY, other BOOLEAN);
INSERT INTO items VALUES ('x', true);
-- wait: items 2
CREATE TABLE fresh (id INT PRIMARY KEY, v TEXT);
INSERT INTO fresh VALUES (1, 'new');
