-- The database's own character set changed, and tables made after it
INSERT INTO before_ VALUES (1, 'ü');
ALTER DATABASE ${DATABASE} CHARACTER SET latin1;
CREATE TABLE after_ (id INT PRIMARY KEY, t VARCHAR(10), n NATIONAL VARCHAR(10));
INSERT INTO after_ VALUES (1, 'ü', 'ü');
ALTER TABLE before_ CONVERT TO CHARACTER SET latin1, ADD COLUMN u VARCHAR(5);
INSERT INTO before_ VALUES (2, 'ö', 'ä');
