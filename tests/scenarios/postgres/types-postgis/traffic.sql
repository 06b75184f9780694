-- geometry and geography
INSERT INTO places (id, g, p, z, gg, gp) VALUES (1, 'POINT(1 2)', 'SRID=4326;POINT(1.5 -2.5)', 'POINT Z (1 2 3)', 'POINT(1 2)', 'POINT(3 4)');
INSERT INTO places (id, g, gg) VALUES (2, 'SRID=3857;POLYGON((0 0, 1 0, 1 1, 0 0))', 'LINESTRING(0 0, 1 1)'), (3, 'GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 2 2))', NULL), (4, 'POINT EMPTY', 'SRID=4326;POINT EMPTY'), (5, 'POINT ZM (1 2 3 4)', NULL), (6, 'MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)))', NULL);
INSERT INTO places (id) VALUES (7);
UPDATE places SET p = 'SRID=4326;POINT(0 0)' WHERE id = 1;
