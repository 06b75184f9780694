-- Rows are found by the key of the event
INSERT INTO loose VALUES ('a', 1, repeat('one', 1000), 1), ('a', 2, repeat('two', 1000), 1);
UPDATE loose SET k = 2 WHERE n = 2;
INSERT INTO keyless VALUES (NULL, 1);
