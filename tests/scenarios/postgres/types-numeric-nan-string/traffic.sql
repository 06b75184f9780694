-- NaN and infinity of numeric as text
INSERT INTO specials VALUES (1, 'NaN', 'NaN'), (2, 'Infinity', 1), (3, '-Infinity', 1), (4, 5, NULL);
