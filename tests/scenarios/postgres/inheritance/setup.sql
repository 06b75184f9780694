CREATE TABLE cities (id INT PRIMARY KEY, name TEXT, population REAL);
CREATE TABLE capitals (state CHAR(2), PRIMARY KEY (id)) INHERITS (cities);
