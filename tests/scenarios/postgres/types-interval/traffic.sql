-- Intervals as microseconds
INSERT INTO spans VALUES (1, '1 year 2 months 3 days 04:05:06.789012', '04:05:06.6', '1 year 2 months', '3 days 04:05:06.789', '1 hour');
INSERT INTO spans VALUES (2, '-1 year -2 months -3 days -04:05:06.789012', '-1 second', '-5 months', '-3 days', '-1 day 24:00:00');
INSERT INTO spans VALUES (3, '0', '0', '0', '0', '0'), (4, '178000000 years', '2147483647 days', '1 year', '100000000 hours', '1 microsecond');
INSERT INTO spans (id) VALUES (5);
UPDATE spans SET i = i * 2 WHERE id = 1;
