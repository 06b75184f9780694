-- Large values that did not change come as the placeholder
INSERT INTO big SELECT 1, repeat('t', 3000), repeat('v', 3000), decode(repeat('0b', 3000), 'hex'), to_jsonb(repeat('j', 3000)), xmlparse(content '<x>' || repeat('x', 3000) || '</x>'), array_agg(repeat('a', 30)), array_agg(n), 1 FROM generate_series(1, 1000) n;
UPDATE big SET n = 2;
UPDATE big SET t = 'short', n = 3;
UPDATE big SET v = v || 'w';
UPDATE big SET id = 2;
DELETE FROM big;
