-- A unique index instead of a key
INSERT INTO indexed VALUES (1, 'x', 1), (2, 'y', 2);
UPDATE indexed SET c = 3 WHERE a = 1;
UPDATE indexed SET a = 5 WHERE a = 2;
DELETE FROM indexed;
