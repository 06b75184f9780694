-- Defaults of columns: constants, expressions, functions, casts
INSERT INTO defaults (id, c, h) VALUES (1, '2024-01-01', '2024-01-01');
INSERT INTO defaults (id, a, b, c, h, f, nn, nt) VALUES (2, NULL, NULL, NULL, NULL, NULL, 0, 'x');
