-- Arrays of all kinds
INSERT INTO arrays (id, i, s, b, t, v, c, bo, f, r, n, n0, d, ti, ts, tstz, u) VALUES (1, '{1,2,3}', '{-32768,32767}', '{9223372036854775807}', ARRAY['a', 'b,c', 'd"e', '', 'NULL', E'back\\slash', '{x}'], '{abc,de}', '{a,bc}', '{t,f}', '{1.5,-2}', '{0.1}', '{1.10,2}', '{1.10,200}', '{2024-02-29,1969-12-31}', '{12:34:56.123456}', '{2024-02-29 12:34:56.123456}', '{2024-02-29 12:34:56+02}', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}');
INSERT INTO arrays (id, j, jb, inet_a, e, o) VALUES (2, ARRAY['{"a": 1}', '[1]']::json[], ARRAY['{"a":1}']::jsonb[], '{10.0.0.1,::1}', '{sad,happy}', '{1,4294967295}');
INSERT INTO arrays (id, i, t, d, e) VALUES (3, '{NULL,1,NULL}', '{NULL,x}', '{NULL}', '{NULL,ok}'), (4, '{}', '{}', '{}', '{}');
INSERT INTO arrays (id) VALUES (5);
UPDATE arrays SET i = i || 4, t = '{z}' WHERE id = 1;
