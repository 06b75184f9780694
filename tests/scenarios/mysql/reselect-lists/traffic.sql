-- Only columns that are named are read again
START TRANSACTION;
INSERT INTO items (id) VALUES (1);
UPDATE items SET t = 't', v = 'v';
INSERT INTO other (id) VALUES (1);
UPDATE other SET a = 1, b = 2;
INSERT INTO third (id) VALUES (1);
UPDATE third SET a = 1;
COMMIT;
