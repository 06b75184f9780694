-- ENUM and SET: empty, first, last, quotes and commas, invalid
SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION';
INSERT INTO choices (id) VALUES (1);
INSERT INTO choices VALUES (2, 'a', 'x', 'p', '1', 'ä');
INSERT INTO choices VALUES (3, 'b''c', 'x,y,z,w w', 'q', '1,2,3', 'ö');
INSERT INTO choices VALUES (4, '日本', '', 'p', '', NULL);
INSERT INTO choices VALUES (5, 'invalid', 'nope', 'invalid', 'x', 'ü');
INSERT INTO choices VALUES (6, 3, 8, 1, 7, 2);
UPDATE choices SET e = 'd,e', s = 'w w,y' WHERE id = 6;
DELETE FROM choices WHERE id = 2;
ALTER TABLE choices MODIFY e ENUM('a','new','b''c','d,e','日本','');
INSERT INTO choices (id, e) VALUES (7, 'new');
