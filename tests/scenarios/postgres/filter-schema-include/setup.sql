CREATE SCHEMA inventory;
CREATE TABLE inventory.products (id INT PRIMARY KEY, name TEXT, secret TEXT);
CREATE TABLE inventory.orders (id INT PRIMARY KEY, product INT, card VARCHAR(20));
CREATE TABLE outside (id INT PRIMARY KEY, v TEXT);
CREATE TABLE inventory.last (id INT PRIMARY KEY);
