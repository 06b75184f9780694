-- A key that changes: a delete with a tombstone and a create that know of each other
INSERT INTO keyed VALUES (1, 'x', 1), (2, 'y', 2), (3, 'z', 3);
UPDATE keyed SET a = 10 WHERE a = 1;
UPDATE keyed SET a = a + 100, v = v + 1 ORDER BY a DESC;
UPDATE keyed SET b = 'same', v = 9 WHERE a = 110;
BEGIN;
UPDATE keyed SET a = 500 WHERE a = 102;
UPDATE keyed SET a = 102 WHERE a = 500;
COMMIT;
DELETE FROM keyed;
