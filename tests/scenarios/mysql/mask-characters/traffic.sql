-- column.mask.with.n.chars
INSERT INTO people VALUES (1, 'anna', '1234', 5), (2, NULL, '', NULL), (3, '', '0', 0);
UPDATE people SET name = 'eva' WHERE id = 1;
DELETE FROM people WHERE id = 1;
