-- hstore as JSON text
INSERT INTO bags VALUES (1, 'a=>1, b=>NULL, "c d"=>"e, \"f\""', 'x=>y', NULL), (2, '', '', '{}'), (3, NULL, '"ü"=>"日本"', NULL), (4, 'z=>1, a=>2, mm=>3', 'k=>v', NULL);
INSERT INTO bags (id) VALUES (5);
UPDATE bags SET h = h || 'n=>1' WHERE id = 1;
