-- Changes that were replicated carry their origin
SELECT pg_replication_origin_create('${DATABASE}_elsewhere');
SELECT pg_replication_origin_session_setup('${DATABASE}_elsewhere');
BEGIN;
SELECT pg_replication_origin_xact_setup('0/12345678', '2024-02-29 12:00:00+00');
INSERT INTO items VALUES (1, 'a', 1, 'from elsewhere');
COMMIT;
SELECT pg_replication_origin_session_reset();
INSERT INTO items VALUES (2, 'b', 2, 'from here');
SELECT pg_replication_origin_drop('${DATABASE}_elsewhere');
