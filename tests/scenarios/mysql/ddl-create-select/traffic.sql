-- CREATE TABLE AS SELECT: rows that come with their table
INSERT INTO origin VALUES (2, 'y', '2024-01-01');
CREATE TABLE copied (PRIMARY KEY (id)) AS SELECT id, v FROM origin;
INSERT INTO copied VALUES (3, 'z');
CREATE TABLE computed SELECT id + 1 AS next_id, CONCAT(v, '!') AS loud FROM origin;
INSERT INTO computed VALUES (9, 'q');
