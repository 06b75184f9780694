CREATE TABLE orders (id INT PRIMARY KEY, customer VARCHAR(20), amount DECIMAL(8,2), note VARCHAR(20) DEFAULT 'none', placed DATETIME(3), n BIGINT);
CREATE TABLE lines_ (order_id INT, line INT, item VARCHAR(20), PRIMARY KEY (order_id, line));
