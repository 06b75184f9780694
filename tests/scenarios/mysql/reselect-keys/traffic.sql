-- Rows are found by keys of several columns and types
START TRANSACTION;
INSERT INTO by_text (code, n) VALUES ('it''s é', 1.50), ('\\', -2);
UPDATE by_text SET t = 'found';
INSERT INTO by_number (id, s) VALUES (9223372036854775807, -32768);
UPDATE by_number SET t = 'found';
COMMIT;
