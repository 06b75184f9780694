-- Rows are found by the key of the event
START TRANSACTION;
INSERT INTO loose VALUES ('a', 1, NULL, 1), ('a', 2, NULL, NULL);
UPDATE loose SET t = 'two', k = 2 WHERE n = 2;
INSERT INTO keyless VALUES (NULL, 1);
UPDATE keyless SET t = 'one';
COMMIT;
