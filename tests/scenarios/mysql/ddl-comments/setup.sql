CREATE TABLE t (id INT PRIMARY KEY COMMENT 'the id', v VARCHAR(10) COMMENT 'it''s "v"', w INT) COMMENT 'a table';
