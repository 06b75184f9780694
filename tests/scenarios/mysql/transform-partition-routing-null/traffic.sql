-- PartitionRouting: a struct on the way to a field is null, and the connector stops
INSERT INTO goods (id) VALUES (1);
