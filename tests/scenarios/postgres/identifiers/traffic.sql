-- Unusual names of schemas, tables and columns
INSERT INTO "Odd.Schema"."Table.dotted" VALUES (1, 'a', 2, 3, 4, 5, 6);
UPDATE "Odd.Schema"."Table.dotted" SET "select" = 'b';
INSERT INTO "naïve" VALUES (1, 2, 3);
INSERT INTO "select" VALUES (1);
DELETE FROM "Odd.Schema"."Table.dotted";
