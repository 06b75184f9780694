-- bytea as bytes
INSERT INTO bytes VALUES (1, '\x00ff10', '\xdeadbeef'), (2, '', '\x'), (3, NULL, '\x61'), (4, decode(repeat('ab', 3000), 'hex'), '\x00'), (5, '\xfbff', '\xfe');
INSERT INTO bytes (id) VALUES (6);
UPDATE bytes SET b = '\x3e3f' WHERE id = 1;
