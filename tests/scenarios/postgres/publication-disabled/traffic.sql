-- publication.autocreate.mode=disabled with a publication for one schema
INSERT INTO inventory.products VALUES (1, 'tea', 's1');
INSERT INTO outside VALUES (1, 'x');
INSERT INTO inventory.last VALUES (1);
-- wait: inventory.last 1
