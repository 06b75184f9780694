-- Infinity and years before Christ of timestamps and dates
INSERT INTO far (id, ts) VALUES (1, 'infinity'), (2, '-infinity'), (3, '0044-03-15 12:00:00 BC'), (4, '4713-01-01 00:00:00 BC'), (5, '20000-01-01 00:00:00');
INSERT INTO far (id, tstz) VALUES (6, 'infinity'), (7, '-infinity'), (8, '0044-03-15 12:00:00+00 BC'), (9, '4713-01-01 00:00:00+00 BC'), (10, '20000-01-01 00:00:00+00');
INSERT INTO far (id, d) VALUES (13, '0044-03-15 BC'), (14, '4713-01-01 BC'), (15, '20000-01-01');
