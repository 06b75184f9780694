-- BIT of every length, and TINYINT(1)
INSERT INTO bits (id, b1, b, b2, b8, b9, b33, b64, t, tu) VALUES (1, b'0', b'0', b'0', b'0', b'0', b'0', b'0', 0, 0);
INSERT INTO bits (id, b1, b, b2, b8, b9, b33, b64, t, tu) VALUES (2, b'1', b'1', b'11', b'11111111', b'111111111', 0x1FFFFFFFF, 0xFFFFFFFFFFFFFFFF, 1, 1);
INSERT INTO bits (id) VALUES (3);
INSERT INTO bits VALUES (4, 1, 0, 2, 128, 256, 4294967296, 9223372036854775808, -128, 255, 0, 2730);
UPDATE bits SET b9 = 1, nn = 1 WHERE id = 4;
DELETE FROM bits WHERE id = 1;
