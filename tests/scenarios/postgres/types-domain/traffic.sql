-- Domains, nested, with constraints, over types with a length
INSERT INTO domains VALUES (1, 99, 12345.678, 'abcd', B'101', '2024-02-29 12:34:56.123', '{"a": 1}', '{1,2}');
INSERT INTO domains (id) VALUES (2);
UPDATE domains SET a = 0.001 WHERE id = 1;
DELETE FROM domains WHERE id = 2;
