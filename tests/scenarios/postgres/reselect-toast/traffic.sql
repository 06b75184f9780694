-- Large values that did not change are read again
INSERT INTO big SELECT 1, repeat('t', 3000), repeat('v', 3000), decode(repeat('0b', 3000), 'hex'), to_jsonb(repeat('j', 3000)), hstore('h', repeat('h', 3000)), array_agg(repeat('a', 30)), array_agg(n), array_agg(n::bigint), 1 FROM generate_series(1, 1000) n;
UPDATE big SET n = 2;
UPDATE big SET n = 3;
INSERT INTO by_uuid SELECT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'it''s a \ key', string_agg(md5(i::text), ''), 1 FROM generate_series(1, 300) i;
UPDATE by_uuid SET n = 2;
