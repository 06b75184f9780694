CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE people (id INT PRIMARY KEY, m mood);
