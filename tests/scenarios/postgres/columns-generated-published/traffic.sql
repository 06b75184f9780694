-- Generated columns that PostgreSQL 18 publishes
INSERT INTO boxes (id, w, h) VALUES (1, 2, 3), (2, NULL, 1);
UPDATE boxes SET w = 5 WHERE id = 1;
DELETE FROM boxes WHERE id = 2;
