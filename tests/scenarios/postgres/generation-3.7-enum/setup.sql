CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE people (id INT PRIMARY KEY, m mood, n mood NOT NULL DEFAULT 'ok');
CREATE TABLE others (id INT PRIMARY KEY, m mood);
