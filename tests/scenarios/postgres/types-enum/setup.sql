CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s "odd", isn''t it');
CREATE TABLE people (id INT PRIMARY KEY, m mood NOT NULL DEFAULT 'ok', n mood);
