-- bit and bit varying of all widths
INSERT INTO bits VALUES (1, B'1', B'10', B'10000001', B'100000001', (B'1' || repeat('0', 68) || '1')::bit(70), B'101', B'1100110011001100', B'0001', B'0');
INSERT INTO bits VALUES (2, B'0', B'00', B'00000000', B'000000000', B'0'::bit(70), B'', B'', B'1111', NULL);
INSERT INTO bits (id) VALUES (3);
UPDATE bits SET two = B'01', v = B'11111' WHERE id = 1;
