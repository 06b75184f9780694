CREATE TABLE "odd-table name" ("the-id" INT PRIMARY KEY, "a b" TEXT, "ü" INT, "1st" INT);
