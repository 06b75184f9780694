-- JSON columns as differences.
CREATE DATABASE corpus;
USE corpus;
CREATE TABLE partial (id INT PRIMARY KEY, other JSON, document JSON, tail VARCHAR(10));
INSERT INTO partial VALUES (1, '{"o":1}', '{"a":1,"bb":[1,2,3],"c":{"d":"text","e \\"q\\"":null}}', 't'), (2, NULL, '[1,[2,{"x":3}]]', 'u');
SET binlog_row_value_options = 'PARTIAL_JSON';
UPDATE partial SET document = JSON_SET(document, '$.a', 2);
UPDATE partial SET document = JSON_REPLACE(document, '$.c.d', 'other') WHERE id = 1;
UPDATE partial SET document = JSON_SET(document, '$.c."e \\"q\\""', CAST('{"new":[1,2]}' AS JSON)) WHERE id = 1;
UPDATE partial SET document = JSON_REMOVE(document, '$.bb[1]') WHERE id = 1;
UPDATE partial SET document = JSON_ARRAY_INSERT(document, '$.bb[0]', 'first') WHERE id = 1;
UPDATE partial SET document = JSON_SET(document, '$.ab', 1, '$.b', 2, '$.abc', 3) WHERE id = 1;
UPDATE partial SET document = JSON_REMOVE(document, '$.c') WHERE id = 1;
UPDATE partial SET document = JSON_SET(document, '$[1][1].x', 4, '$[1][1].y', 1.5) WHERE id = 2;
UPDATE partial SET other = JSON_SET(other, '$.p', TRUE), document = JSON_SET(document, '$.q', FALSE), tail = 'both' WHERE id = 1;
UPDATE partial SET tail = 'only' WHERE id = 1;
UPDATE partial SET document = JSON_SET(document, '$.a', 2) WHERE id = 1;
UPDATE partial SET document = '{"whole":true}' WHERE id = 1;
