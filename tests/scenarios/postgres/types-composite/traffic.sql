-- Composite types, which are left out
INSERT INTO homes VALUES (1, ROW('Main, "Street"', 5, '2024-02-29'), ARRAY[ROW('x', 1, NULL)::address], 'n');
INSERT INTO homes VALUES (2, NULL, NULL, 'm'), (3, ROW(NULL, NULL, NULL), '{}', 'o');
UPDATE homes SET n = 'p' WHERE id = 1;
