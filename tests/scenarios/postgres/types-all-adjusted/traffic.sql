-- Names adjusted for Avro: schema.name.adjustment.mode and field.name.adjustment.mode
INSERT INTO "odd-table name" VALUES (1, 'x', 2, 3);
UPDATE "odd-table name" SET "ü" = 5;
