-- COPY, upserts, MERGE, updates from a join, triggers, statements that change nothing
INSERT INTO items VALUES (1, 'a', 1, 'one'), (2, 'b', 2, 'two') ON CONFLICT DO NOTHING;
INSERT INTO items VALUES (1, 'a', 1, 'again') ON CONFLICT (id) DO NOTHING;
INSERT INTO items VALUES (1, 'a', 5, 'again') ON CONFLICT (id) DO UPDATE SET n = excluded.n;
MERGE INTO items USING (VALUES (2, 'bb'), (3, 'cc')) AS s (id, code) ON items.id = s.id WHEN MATCHED THEN UPDATE SET code = s.code WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.code, 0, 'merged');
UPDATE items SET n = log.id FROM log WHERE log.what = 'INSERT ' || items.code;
UPDATE items SET n = n WHERE id = 1;
UPDATE items SET n = 1 WHERE id = 99;
DELETE FROM items WHERE id = 99;
WITH gone AS (DELETE FROM items WHERE id = 3 RETURNING *) INSERT INTO log (what) SELECT 'gone ' || code FROM gone;
