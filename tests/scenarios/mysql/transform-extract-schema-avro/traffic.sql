-- ExtractSchemaToNewRecord to Avro
INSERT INTO goods (id, t) VALUES (1, 'a'), (2, 'b');
UPDATE goods SET t = 'c' WHERE id = 1;
DELETE FROM goods WHERE id = 2;
INSERT INTO plain VALUES ('x');
ALTER TABLE plain ADD COLUMN w BIGINT COMMENT 'wide';
INSERT INTO plain VALUES ('y', 1);
