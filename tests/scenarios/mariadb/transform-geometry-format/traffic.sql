-- GeometryFormatTransformer as it is: WKB
INSERT INTO shapes VALUES (1, ST_GeomFromText('POINT(1 2)', 4326), NULL), (2, NULL, ST_GeomFromText('POLYGON((0 0, 10 0, 10 10, 0 0))', 4326)), (3, NULL, NULL);
UPDATE shapes SET id = 4 WHERE id = 3;
