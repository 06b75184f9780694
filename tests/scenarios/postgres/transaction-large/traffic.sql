-- A transaction beyond logical_decoding_work_mem, and one rolled back
BEGIN;
INSERT INTO many SELECT n, repeat('x', 100) FROM generate_series(1, 700) n;
SAVEPOINT one;
INSERT INTO many SELECT n, repeat('y', 100) FROM generate_series(2001, 3000) n;
ROLLBACK TO one;
UPDATE many SET t = 'last' WHERE id % 250 = 0;
COMMIT;
BEGIN;
INSERT INTO many SELECT n, repeat('z', 100) FROM generate_series(4001, 5000) n;
ROLLBACK;
DELETE FROM many WHERE id > 690;
