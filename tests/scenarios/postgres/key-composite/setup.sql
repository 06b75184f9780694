CREATE TABLE pairs (a INT, b TEXT, c UUID, d INT, PRIMARY KEY (c, a, b));
