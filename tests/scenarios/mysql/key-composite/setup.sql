CREATE TABLE composite (v INT, a INT, b VARCHAR(20), c DATE, PRIMARY KEY (c, b, a));
CREATE TABLE binary_key (k BINARY(3) PRIMARY KEY, v INT);
CREATE TABLE decimal_key (k DECIMAL(10,2), e ENUM('x','y'), v INT, PRIMARY KEY (k, e));
