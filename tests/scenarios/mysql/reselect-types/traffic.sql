-- Values of these types are read again as the log has them
START TRANSACTION;
INSERT INTO numbers (id) VALUES (1), (2);
UPDATE numbers SET ti = -128, tu = 255, si = -32768, su = 65535, mi = -8388608, mu = 16777215, ii = -2147483648, iu = 7, bi = -9223372036854775808, bu = 9223372036854775807, f = 1.5, db = -1.25e-300, de = -123456789012345.06789, ds = 12345678901234567890123456789012345.123456789012345678901234567890 WHERE id = 1;
UPDATE numbers SET ti = 1, tu = 0, si = 0, su = 0, mi = 0, mu = 0, ii = 0, iu = 0, bi = 0, bu = 0, f = 0, db = 0, de = 0, ds = -0.000000000000000000000000000001 WHERE id = 2;
INSERT INTO texts (id) VALUES (1), (2);
UPDATE texts SET c = 'c  ', l1 = 'é ß', u8 = 'ü 😀', tx = 'it''s', vb = x'00ff41', bl = x'f0', en = 'b', se = 'x,z' WHERE id = 1;
UPDATE texts SET c = '', l1 = '', u8 = '', tx = '', vb = '', bl = '', en = 'a', se = '' WHERE id = 2;
INSERT INTO times (id) VALUES (1), (2);
UPDATE times SET da = '2024-02-29', dt = '2024-01-31 10:11:12', d3 = '2024-01-31 10:11:12.123', d6 = '2024-01-31 10:11:12.123456' WHERE id = 1;
UPDATE times SET da = '1900-01-01', dt = '1969-12-31 23:59:59', d3 = '1969-12-31 23:59:59.999', d6 = '9999-12-31 23:59:59.999999' WHERE id = 2;
COMMIT;
