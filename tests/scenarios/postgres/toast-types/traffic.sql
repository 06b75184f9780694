-- Large values of other types that did not change
INSERT INTO big (id, bi, k) VALUES (1, repeat('10', 10000)::bit varying, 1);
UPDATE big SET k = 2;
DELETE FROM big;
INSERT INTO big (id, h, k) SELECT 2, hstore(array_agg(n::text), array_agg(repeat('v', 10))), 1 FROM generate_series(1, 500) n;
UPDATE big SET k = 2;
DELETE FROM big;
INSERT INTO big (id, da, na, k) SELECT 3, array_agg('2020-01-01'::date + n), array_agg(n::numeric), 1 FROM generate_series(1, 1000) n;
UPDATE big SET k = 2;
DELETE FROM big;
INSERT INTO big (id, ua, k) SELECT 4, array_agg('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid), 1 FROM generate_series(1, 500) n;
UPDATE big SET k = 2;
