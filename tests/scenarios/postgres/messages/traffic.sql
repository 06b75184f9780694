-- pg_logical_emit_message, transactional and not
SELECT pg_logical_emit_message(true, 'audit', 'transactional');
SELECT pg_logical_emit_message(false, 'audit', 'not transactional');
SELECT pg_logical_emit_message(true, 'other', E'\\x00ff80'::bytea);
BEGIN;
INSERT INTO items VALUES (1, 'a', 1, 'one');
SELECT pg_logical_emit_message(true, 'audit', 'between');
SELECT pg_logical_emit_message(false, 'other', 'at once');
UPDATE items SET n = 2;
COMMIT;
BEGIN;
SELECT pg_logical_emit_message(true, 'audit', 'rolled back');
SELECT pg_logical_emit_message(false, 'audit', 'not rolled back');
ROLLBACK;
SELECT pg_logical_emit_message(true, '', 'no prefix');
SELECT pg_logical_emit_message(true, 'empty', '');
SELECT pg_logical_emit_message(true, 'größe', '{"a": "ü"}');
