-- Multiranges, with include.unknown.datatypes=true
INSERT INTO spans VALUES (1, '{[1,3),[5,8)}', '{[2024-01-01,2024-02-01)}'), (2, '{}', NULL);
