-- Network addresses
INSERT INTO net VALUES (1, '192.168.1.5', '192.168.0.0/16', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '::1');
INSERT INTO net VALUES (2, '192.168.1.5/24', '2001:db8::/32', '0800-2b01-0203', '08002b:0102030405', '::ffff:1.2.3.4'), (3, NULL, NULL, NULL, NULL, '0.0.0.0/0');
INSERT INTO net (id) VALUES (4);
UPDATE net SET c = '10.0.0.0/8' WHERE id = 1;
