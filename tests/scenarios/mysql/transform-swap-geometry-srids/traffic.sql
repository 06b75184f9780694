-- SwapGeometryCoordinates: chosen SRIDs, then unwrapped
INSERT INTO shapes VALUES (1, ST_GeomFromText('POINT(1 2)', 4326), ST_GeomFromText('LINESTRING(0 0, 1 1, 2 0)', 4326), ST_GeomFromText('POLYGON((0 0, 10 0, 10 10, 0 0), (1 1, 2 1, 2 2, 1 1))', 4326), ST_GeomFromText('MULTIPOINT((0 0), (1 5))', 4326),
  ST_GeomFromText('MULTILINESTRING((0 3, 1 1), (2 2, 3 3))', 4326), ST_GeomFromText('MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)))', 4326), ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 7), LINESTRING(0 0, 1 2))', 4326), ST_GeomFromText('POINT(-1.5 50)', 4326));
INSERT INTO shapes (id) VALUES (2);
INSERT INTO shapes (id, p, g) VALUES (3, ST_GeomFromText('POINT(48.1 11.5)', 3857), ST_GeomFromText('LINESTRING(1 2, 3 4)'));
UPDATE shapes SET p = ST_GeomFromText('POINT(0 9)') WHERE id = 1;
DELETE FROM shapes WHERE id = 3;
INSERT INTO needed VALUES (1, ST_GeomFromText('POINT(-80 90)', 4326));
