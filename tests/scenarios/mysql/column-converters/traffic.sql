-- Converters of columns: TINYINT(1) as boolean, and the types of JDBC sinks; values, defaults, nulls, a changed column
INSERT INTO flags VALUES (1, 0, 0, 0, 0, 0, 0, 0, FALSE);
INSERT INTO flags VALUES (2, 1, 1, 1, 1, 1, 1, 1, TRUE);
INSERT INTO flags VALUES (3, -1, 127, -128, 2, -1, -1, -1, TRUE);
INSERT INTO flags VALUES (4, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO flags (id) VALUES (5);
UPDATE flags SET one = 1 WHERE id = 1;
ALTER TABLE flags MODIFY one SMALLINT, MODIFY plain TINYINT(1);
INSERT INTO flags (id, one, plain) VALUES (6, 7, 1);
DELETE FROM flags WHERE id = 2;
INSERT INTO keyed VALUES (1, 'a'), (0, 'b');
INSERT INTO sinks VALUES (1, TRUE, 0, 4294967296, 1.1, -1.5, 7, 'größe €', '字');
INSERT INTO sinks VALUES (2, FALSE, -1, 4294967297, 0, 1e300, -7, '', '');
INSERT INTO sinks VALUES (3, NULL, 1, NULL, NULL, 0, NULL, 'x', NULL);
INSERT INTO sinks (id) VALUES (4);
UPDATE sinks SET ratio = 1e-5, label = 'y' WHERE id = 4;
