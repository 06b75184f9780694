-- publication.autocreate.mode=filtered brings an existing publication up to date
INSERT INTO inventory.products VALUES (1, 'tea', 's1');
INSERT INTO outside VALUES (1, 'x');
