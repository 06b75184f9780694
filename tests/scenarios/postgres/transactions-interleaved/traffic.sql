-- Large transactions in two sessions at once
-- session first
BEGIN;
INSERT INTO many SELECT n, repeat('a', 200) FROM generate_series(1, 300) n;
-- session second
BEGIN;
INSERT INTO many SELECT n, repeat('b', 200) FROM generate_series(1001, 1300) n;
-- session first
INSERT INTO many SELECT n, repeat('a', 200) FROM generate_series(301, 500) n;
-- session third
INSERT INTO many VALUES (9000, 'short');
-- session second
INSERT INTO many SELECT n, repeat('b', 200) FROM generate_series(1301, 1500) n;
COMMIT;
-- session first
DELETE FROM many WHERE id > 495 AND id < 600;
COMMIT;
