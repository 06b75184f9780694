DELIMITER //
DO $$ BEGIN EXECUTE 'CREATE TABLE wide (id INT PRIMARY KEY, ' || (SELECT string_agg('c' || n || ' INT', ', ') FROM generate_series(1, 600) n) || ')'; END $$//
