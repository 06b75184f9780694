-- NaN and infinity of real and double precision
INSERT INTO specials (id, f, r) VALUES (1, 'NaN', 'NaN'), (2, 'Infinity', '-Infinity'), (3, '-Infinity', 'Infinity'), (4, 1, 1);
