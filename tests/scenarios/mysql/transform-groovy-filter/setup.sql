CREATE TABLE orders (id INT PRIMARY KEY, region VARCHAR(8) NOT NULL, customer VARCHAR(20), quantity INT, amount DECIMAL(8,2), ratio DOUBLE, paid TINYINT(1) DEFAULT 0, stamp BIGINT, placed DATETIME(3));
CREATE TABLE lines_ (order_id INT, line INT, item VARCHAR(20), PRIMARY KEY (order_id, line));
CREATE TABLE notes (line VARCHAR(20), n INT);
