-- Arrays of more than one dimension, and with other bounds
INSERT INTO arrays VALUES (1, '{1,2}', '{a}');
INSERT INTO arrays VALUES (2, '[0:1]={5,6}', '[-1:0]={x,y}');
INSERT INTO arrays VALUES (3, '{{1,2},{3,4}}', '{{a,b}}');
