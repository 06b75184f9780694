-- Tables without a key
INSERT INTO loose VALUES (1, 'x'), (1, 'x'), (NULL, NULL);
UPDATE loose SET b = 'y' WHERE a = 1;
DELETE FROM loose WHERE a IS NULL;
