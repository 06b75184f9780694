-- A table of two hundred columns
INSERT INTO t (id, c0, c63, c64, c127, c128, c199) VALUES (1, 1, 2, 3, 4, 5, 6);
UPDATE t SET c100 = 7;
DELETE FROM t;
