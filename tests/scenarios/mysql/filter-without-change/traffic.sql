-- skip.messages.without.change: updates of columns that nobody sees
INSERT INTO people VALUES (1, 'anna', 's', 'b', 1.0);
UPDATE people SET secret = 't';
UPDATE people SET name = 'eva';
UPDATE people SET secret = 'u', name = 'eva';
UPDATE people SET secret = 'v', b = 'c';
UPDATE people SET secret = 'w', d = 1.00;
UPDATE people SET id = 2;
