CREATE TYPE address AS (street TEXT, number INT, since DATE);
CREATE TABLE homes (id INT PRIMARY KEY, a address, l address[], n TEXT);
