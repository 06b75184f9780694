-- Money: two digits, and none
INSERT INTO prices VALUES (1, 12.34, 1), (2, -12.34, 0), (3, '$92,233,720,368,547,758.07', 1), (4, '-$92,233,720,368,547,758.08', 1), (5, NULL, 2), (6, 1000000, 7), (7, 0.005, 1);
INSERT INTO prices (id) VALUES (8);
UPDATE prices SET price = price + '1'::money WHERE id = 1;
