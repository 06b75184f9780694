-- ExtractChangedRecordState: what an update changed, and what it did not
INSERT INTO goods VALUES (1, 'a', 1, 1.5, 1.5, 'x', b'101', 1, '2024-01-01', '{"a": 1}', 'a', ST_GeomFromText('POINT(1 2)'), 1);
INSERT INTO goods (id) VALUES (2);
UPDATE goods SET t = 'b' WHERE id = 1;
UPDATE goods SET n = NULL, d = 2, f = -1.5, b = 'y' WHERE id = 1;
UPDATE goods SET day = '2024-01-02', doc = '{"a": 2}', kind = 'a,b', bit_ = 0 WHERE id = 1;
UPDATE goods SET p = ST_GeomFromText('POINT(2 2)') WHERE id = 1;
UPDATE goods SET bits = b'1' WHERE id = 1;
UPDATE goods SET dn = NULL WHERE id = 2;
UPDATE goods SET dn = 5, t = '' WHERE id = 2;
UPDATE goods SET id = 7 WHERE id = 2;
INSERT INTO plain VALUES (1, 1);
ALTER TABLE plain ADD COLUMN w INT DEFAULT 3;
UPDATE plain SET w = 4;
DELETE FROM goods WHERE id = 1;
