-- Text search, geometry of the server, and types that Debezium does not know
INSERT INTO others VALUES (1, 'a fat cat'::tsvector, 'fat & cat'::tsquery, '(1.5,-2)', '{1,2,3}', '[(0,0),(1,1)]', '((1,1),(0,0))', '((0,0),(1,1),(2,0))', '((0,0),(1,1),(2,0))', '<(0,0),5>', 'pg_class', 'integer', '16/B374D848', '10:20:10,14', '42', '(1,2)', '$.a[*]', 'n');
INSERT INTO others (id) VALUES (2);
INSERT INTO others (id, tv, p) VALUES (3, to_tsvector('english', 'The quick brown foxes'), '(1e300,-0)'), (4, 'a:1A,2B b:3'::tsvector, '(Infinity,NaN)');
UPDATE others SET n = 'm', p = '(2,2)' WHERE id = 1;
DELETE FROM others WHERE id = 2;
