CREATE SCHEMA "Odd.Schema";
CREATE TABLE "Odd.Schema"."Table.dotted" ("Id" INT PRIMARY KEY, "select" TEXT, "with space" INT, "dash-ed" INT, "dot.ted" INT, "ü" INT, "UPPER" INT);
CREATE TABLE "naïve" (id INT PRIMARY KEY, "$" INT, "1" INT);
CREATE TABLE "select" ("from" INT PRIMARY KEY);
