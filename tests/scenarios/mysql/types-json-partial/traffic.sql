-- Updates of parts of JSON documents as the server logs them when it may
SET SESSION binlog_row_value_options = PARTIAL_JSON;
INSERT INTO documents VALUES (1, '{"a": "a long enough text to be replaced in part", "b": [1, 2, 3]}', 1);
UPDATE documents SET j = JSON_SET(j, '$.b[1]', 20), n = 2 WHERE id = 1;
UPDATE documents SET j = JSON_REPLACE(j, '$.a', 'short') WHERE id = 1;
UPDATE documents SET j = JSON_REMOVE(j, '$.b[0]') WHERE id = 1;
