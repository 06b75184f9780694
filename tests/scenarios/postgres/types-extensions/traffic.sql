-- citext, ltree and isn
INSERT INTO extended VALUES (1, 'MiXed', 'Top.Science.Astronomy', '*.Astro*', 'Europe & Russia', '978-0-393-04002-9', '4006381333931', '{A,b}', '{a.b,c}');
INSERT INTO extended (id) VALUES (2);
INSERT INTO extended (id, c, l) VALUES (3, '', ''), (4, 'ü', 'a');
UPDATE extended SET c = 'other' WHERE id = 1;
