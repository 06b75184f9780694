-- table.exclude.list, and history of captured tables only
INSERT INTO wanted VALUES (1, 1);
INSERT INTO secret_one VALUES (1, 1);
ALTER TABLE secret_one ADD COLUMN w INT;
CREATE TABLE secret_two (id INT PRIMARY KEY);
INSERT INTO secret_two VALUES (1);
DROP TABLE secret_two;
