-- Names with blanks, dashes, quotes, keywords and letters of any alphabet
INSERT INTO `dash-table` VALUES (1, 2, 'a', 9);
UPDATE `dash-table` SET `col-x` = 3;
INSERT INTO `tëst ü` VALUES (1, 'é');
DELETE FROM `tëst ü`;
INSERT INTO `UPPER` VALUES (1, 'M');
UPDATE `UPPER` SET `ID` = 2;
INSERT INTO `select` VALUES (1, 2, 3);
ALTER TABLE `select` ADD COLUMN `where` INT AFTER `from`;
INSERT INTO `select` VALUES (2, 3, 4, 5);
INSERT INTO `back``tick` VALUES (1, 2);
INSERT INTO `$dollar` VALUES (1, 2, 3, 4);
DELETE FROM `$dollar`;
