-- Two-phase commit: prepared transactions committed and rolled back
BEGIN;
INSERT INTO items VALUES (1, 'a', 1, 'prepared');
PREPARE TRANSACTION '${DATABASE}_one';
INSERT INTO items VALUES (2, 'b', 2, 'between');
COMMIT PREPARED '${DATABASE}_one';
BEGIN;
INSERT INTO items VALUES (3, 'c', 3, 'never');
PREPARE TRANSACTION '${DATABASE}_two';
ROLLBACK PREPARED '${DATABASE}_two';
