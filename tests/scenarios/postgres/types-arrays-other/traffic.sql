-- Arrays of bytea, interval, money and bit
INSERT INTO arrays (id, by) VALUES (1, ARRAY['\x00ff', '\x']::bytea[]);
INSERT INTO arrays (id, iv) VALUES (2, '{1 day,2 hours}');
INSERT INTO arrays (id, m) VALUES (3, '{1.50}');
INSERT INTO arrays (id, bi) VALUES (4, '{101,010}');
INSERT INTO arrays (id, x) VALUES (5, ARRAY['<a/>'::xml]);
INSERT INTO arrays (id, p) VALUES (6, ARRAY['(1,2)'::point]);
