-- errors.tolerance=all: records that a transform cannot take are left out
INSERT INTO orders (id, customer) VALUES (1, '12'), (2, 'not a number'), (3, '14');
