-- Only columns that are named are read again, and no nulls
INSERT INTO big VALUES (1, repeat('t', 3000), repeat('v', 3000), NULL, 1);
UPDATE big SET n = 2;
