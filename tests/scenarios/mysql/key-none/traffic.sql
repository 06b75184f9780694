-- Tables without a key: events without keys, TRUNCATE and duplicates
INSERT INTO keyless VALUES (1, 'a'), (1, 'a'), (NULL, NULL);
UPDATE keyless SET y = 'b' WHERE x = 1;
DELETE FROM keyless WHERE x IS NULL;
DELETE FROM keyless;
INSERT INTO indexed VALUES (1, 'a'), (1, NULL);
UPDATE indexed SET x = 2;
DELETE FROM indexed;
