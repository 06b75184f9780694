-- Composite keys, not in the order of the columns
INSERT INTO pairs VALUES (1, 'x', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1);
UPDATE pairs SET d = 2;
UPDATE pairs SET b = 'y';
DELETE FROM pairs;
