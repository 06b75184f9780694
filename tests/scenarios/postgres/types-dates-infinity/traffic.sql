-- Infinite dates
INSERT INTO far (id, d) VALUES (1, 'infinity'), (2, '-infinity'), (3, '5874897-12-31');
