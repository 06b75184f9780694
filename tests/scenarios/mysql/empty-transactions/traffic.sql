-- Transactions of tables that are not captured, and empty ones, on the transaction topic
INSERT INTO other VALUES (1);
BEGIN;
INSERT INTO t VALUES (1);
INSERT INTO other VALUES (2);
COMMIT;
BEGIN;
COMMIT;
ALTER TABLE other ADD COLUMN v INT;
INSERT INTO t VALUES (2);
