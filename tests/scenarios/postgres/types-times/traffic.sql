-- Dates and times with time.precision.mode=adaptive, infinity and years before Christ
INSERT INTO times VALUES (1, '2024-02-29', '12:34:56.123456', '12:34:56.123', '12:34:56', '12:34:56.123456+02', '12:34:56.123-05:30', '2024-02-29 12:34:56.123456', '2024-02-29 12:34:56.123', '2024-02-29 12:34:56', '2024-02-29 12:34:56.123456+02', '2024-02-29 12:34:56.123+05:30');
INSERT INTO times (id, d, t, tz, ts, tstz) VALUES (2, '1970-01-01', '00:00:00', '00:00:00+00', '1970-01-01', '1970-01-01 00:00:00+00');
INSERT INTO times (id, d, t, tz, ts, tstz) VALUES (3, '1969-12-31', '23:59:59.999999', '23:59:59.999999-15:59', '1969-12-31 23:59:59.999999', '1969-12-31 23:59:59.999999+00');
INSERT INTO times (id, d, ts, tstz) VALUES (4, '0001-01-01', '0001-01-01', '0001-01-01 00:00:00+00'), (5, '1582-10-15', '1582-10-15', '1582-10-15 00:00:00+00'), (6, '1582-10-04', '1582-10-04', '1582-10-04 00:00:00+00');
INSERT INTO times (id, d, ts, tstz) VALUES (7, '9999-12-31', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999+00');
INSERT INTO times (id, t, tz) VALUES (8, '24:00:00', '24:00:00+00');
INSERT INTO times (id) VALUES (9);
UPDATE times SET d = d + 1, ts = ts + interval '1 microsecond' WHERE id = 1;
DELETE FROM times WHERE id = 9;
