-- INET4 and INET6 of MariaDB
INSERT INTO own VALUES (1, '192.168.0.1', '2001:db8::ff00:42:8329'), (2, NULL, NULL), (3, '0.0.0.0', '::'), (4, '255.255.255.255', '::ffff:1.2.3.4');
DELETE FROM own WHERE id = 4;
