-- The database of compose.yaml: a table to watch, and a user with exactly the rights that a connector needs.
CREATE DATABASE shop;
CREATE TABLE shop.orders (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer VARCHAR(100) NOT NULL,
  quantity INT NOT NULL,
  price DECIMAL(10, 2) NOT NULL,
  state ENUM('new', 'paid', 'sent') NOT NULL DEFAULT 'new',
  changed_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)
);
INSERT INTO shop.orders (customer, quantity, price) VALUES ('Ada', 1, 19.90), ('Grace', 3, 4.50);
CREATE USER cdc IDENTIFIED BY 'cdcpw';
GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES ON *.* TO cdc;
