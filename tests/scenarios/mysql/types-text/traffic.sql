-- CHAR to LONGTEXT: empty, blanks, longest, several bytes a character, escapes
INSERT INTO texts VALUES (1, '', '', '', '', '', '', '', '', '', '', '', '');
INSERT INTO texts VALUES (2, 'abc  ', '', 'trailing   ', 'tiny', 'text', 'medium', 'long', 'national', 'nch', 'Ünïcödé', 'ascii', 'bin');
INSERT INTO texts VALUES (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO texts VALUES (4, '日本語テキ', '', REPEAT('é', 300), REPEAT('x', 255), REPEAT('😀', 100), REPEAT('m', 70000), REPEAT('l', 70000), 'ñandú 日本', 'äöü', 'ÿ¿', '~!@', 'Bin');
INSERT INTO texts VALUES (5, '"q"', '', CONCAT('tab\t nl\n cr\r nul', CHAR(0), ' bell', CHAR(7), ' del', CHAR(127)), '\\ / </script>', '{"json": [1, "x"]}', "it's", '\b\f', CONVERT(0xE280A8 USING utf8mb4), 'e', '«»', '$%', '');
UPDATE texts SET vc = 'shorter' WHERE id = 4;
UPDATE texts SET latin = '€' WHERE id = 5;
DELETE FROM texts WHERE id = 4;
INSERT INTO defaults (id) VALUES (1);
