-- publication.autocreate.mode=no_tables, and a table added by hand
INSERT INTO inventory.products VALUES (1, 'tea', 's1');
INSERT INTO outside VALUES (1, 'x');

ALTER PUBLICATION ${DATABASE}_pub ADD TABLE outside, finish;
INSERT INTO outside VALUES (2, 'y');
