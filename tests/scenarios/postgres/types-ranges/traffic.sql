-- Ranges and multiranges
INSERT INTO spans VALUES (1, '[1,10]', '(1,9223372036854775807)', '[1.50,2.5)', '[2024-02-29,2024-03-01]', '[2024-02-29 12:34:56.123456,2024-03-01)', '["2024-02-29 12:34:56+02",)', 'empty', '{"[1,2)","[3,4)"}');
INSERT INTO spans VALUES (2, '(,)', '[,5]', '(,1]', '[infinity,]', '(,)', '(-infinity,infinity)', NULL, '{}');
INSERT INTO spans (id) VALUES (3);
UPDATE spans SET i4 = '[5,6)' WHERE id = 1;
