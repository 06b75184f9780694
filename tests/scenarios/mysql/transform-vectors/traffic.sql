-- VectorToJsonConverter: vectors as JSON in envelopes
INSERT INTO vectors VALUES (1, STRING_TO_VECTOR('[1, -2.5, 1000000]'), STRING_TO_VECTOR('[0]'), 'a');
INSERT INTO vectors VALUES (2, NULL, STRING_TO_VECTOR('[-1]'), NULL);
UPDATE vectors SET v = STRING_TO_VECTOR('[0.1, 1e-10, 3.4e38]') WHERE id = 2;
UPDATE vectors SET v = STRING_TO_VECTOR('[1e7, 0.001, 12345678]') WHERE id = 1;
DELETE FROM vectors WHERE id = 1;
