-- Transactions: several tables, savepoints, rollback, two sessions at once, the transaction topic
BEGIN;
INSERT INTO accounts VALUES (1, 'anna', 10.00), (2, 'ben', 20.50);
INSERT INTO entries (account, amount) VALUES (1, 10), (2, 20.50);
COMMIT;
BEGIN;
INSERT INTO accounts VALUES (3, 'rolled back', 0);
ROLLBACK;
BEGIN;
UPDATE accounts SET balance = balance - 5 WHERE id = 1;
SAVEPOINT one;
UPDATE accounts SET balance = balance + 100 WHERE id = 2;
ROLLBACK TO one;
UPDATE accounts SET balance = balance + 5 WHERE id = 2;
SAVEPOINT two;
INSERT INTO entries (account, amount) VALUES (1, -5);
RELEASE SAVEPOINT two;
INSERT INTO entries (account, amount) VALUES (2, 5);
COMMIT;
-- session first
BEGIN;
INSERT INTO accounts VALUES (10, 'first', 1);
-- session second
BEGIN;
INSERT INTO accounts VALUES (11, 'second', 1);
UPDATE accounts SET balance = 7 WHERE id = 11;
COMMIT;
-- session first
UPDATE accounts SET balance = 2 WHERE id = 10;
COMMIT;
BEGIN;
DELETE FROM entries;
DELETE FROM accounts WHERE id < 10;
COMMIT;
INSERT INTO memory_only VALUES (1);
DELETE FROM memory_only;
