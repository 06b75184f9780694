-- ExtractSchemaToNewRecord where only some columns say their types
INSERT INTO goods (id, t) VALUES (1, 'a'), (2, 'b');
