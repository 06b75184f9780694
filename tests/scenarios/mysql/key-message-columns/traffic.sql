-- message.key.columns: keys of the user's own, for tables with and without one
INSERT INTO keyed VALUES (1, 1, 'x'), (2, NULL, NULL);
UPDATE keyed SET b = 'y' WHERE id = 1;
UPDATE keyed SET id = 3 WHERE id = 1;
DELETE FROM keyed;
INSERT INTO keyless VALUES (1, 'a'), (2, 'b');
UPDATE keyless SET x = 5 WHERE x = 1;
DELETE FROM keyless;
INSERT INTO other VALUES (1, 1);
