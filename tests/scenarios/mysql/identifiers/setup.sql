CREATE TABLE `dash-table` (`id` INT PRIMARY KEY, `col-x` INT, `col y` VARCHAR(5), `9nine` INT);
CREATE TABLE `tëst ü` (`ïd` INT PRIMARY KEY, `Vé` VARCHAR(10));
CREATE TABLE `UPPER` (`ID` INT PRIMARY KEY, `Mixed` VARCHAR(10));
CREATE TABLE `select` (`from` INT PRIMARY KEY, `table` INT, `key` INT);
CREATE TABLE `back``tick` (`a``b` INT PRIMARY KEY, `dot.ted` INT);
CREATE TABLE `$dollar` (`$id` INT PRIMARY KEY, `_u` INT, `payload` INT, `schema` INT);
