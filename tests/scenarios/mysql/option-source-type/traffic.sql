-- column.propagate.source.type and datatype.propagate.source.type
INSERT INTO t (id) VALUES (1);
INSERT INTO u VALUES (1, 'a', 'b');
ALTER TABLE u ADD COLUMN w VARCHAR(9);
INSERT INTO u VALUES (2, 'a', 'b', 'c');
