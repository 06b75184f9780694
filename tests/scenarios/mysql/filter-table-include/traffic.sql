-- table.include.list: what is not listed leaves no trace but in the history
INSERT INTO wanted VALUES (1, 1);
INSERT INTO unwanted VALUES (1, 1);
ALTER TABLE unwanted ADD COLUMN w INT;
INSERT INTO wanted_too VALUES (1, 1);
ALTER TABLE wanted ADD COLUMN w INT;
UPDATE wanted SET w = 2;
BEGIN;
INSERT INTO unwanted VALUES (2, 2, 2);
INSERT INTO wanted VALUES (2, 2, 2);
COMMIT;
CREATE TABLE wanted_later (id INT PRIMARY KEY);
INSERT INTO wanted_later VALUES (1);
DROP TABLE unwanted;
