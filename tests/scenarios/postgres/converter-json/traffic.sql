-- JSON without schemas
INSERT INTO everything (si, i, bi, bo, r, d, n, np, m, c, v, t, by, dt, ti, tz, ts, tstz, iv, u, j, jb, x, ine, b1, b3, e, do1, ir, ia, ta, p) VALUES (1, 2, 3, true, 1.5, 2.5, 12.34, 5.678, 1.99, 'ab', 'cd', 'ef', '\x0102', '2024-02-29', '12:34:56.789', '12:34:56+01', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789+00', '1 day', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1}', '{"b":2}', '<x/>', '10.0.0.1', B'1', B'101', 'ok', 1.5, '[1,2)', '{1}', '{a}', '(1,2)');
INSERT INTO everything DEFAULT VALUES;
UPDATE everything SET t = 'changed' WHERE i = 2;
DELETE FROM everything WHERE i IS NULL;
