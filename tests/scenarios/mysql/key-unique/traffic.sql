-- A unique index that is no primary key
INSERT INTO uniq VALUES (1, 1, 'a'), (2, NULL, 'b');
UPDATE uniq SET a = 7 WHERE a = 1;
DELETE FROM uniq;
INSERT INTO pair VALUES (1, 2, 3);
UPDATE pair SET c = 4;
DELETE FROM pair;
