-- publication.autocreate.mode=filtered
INSERT INTO inventory.products VALUES (1, 'tea', 's1');
INSERT INTO outside VALUES (1, 'x');
