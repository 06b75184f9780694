-- A row that is gone by then goes out as it came
INSERT INTO big VALUES (1, repeat('t', 3000), 'z', 1);
BEGIN;
UPDATE big SET n = 2;
UPDATE big SET z = NULL;
DELETE FROM big;
COMMIT;
