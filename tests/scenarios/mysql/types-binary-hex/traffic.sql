-- BINARY to LONGBLOB as hex
INSERT INTO binaries VALUES (1, '', '', '', '', '', '', '', '');
INSERT INTO binaries VALUES (2, 'ab', '', 0x00FF10, 0x00, 0xDEADBEEF, REPEAT(0xFB, 1000), 0x7F80, 'chars');
INSERT INTO binaries VALUES (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO binaries VALUES (4, 0xFFFFFFFF, '', REPEAT(0x3E3F, 150), REPEAT(0x01, 255), REPEAT('z', 60000), REPEAT('m', 70000), 'l', 0xFF);
UPDATE binaries SET bl = 0x00 WHERE id = 4;
DELETE FROM binaries WHERE id = 2;
INSERT INTO defaults (id) VALUES (1);
