-- Compressed columns of MariaDB
INSERT INTO own VALUES (1, REPEAT('a', 150), REPEAT('text', 100), REPEAT('b', 150)), (2, NULL, NULL, NULL), (3, '', '', ''), (4, 'short', 'é😀', 0x00FF);
UPDATE own SET ct = 'changed' WHERE id = 1;
DELETE FROM own WHERE id = 4;
