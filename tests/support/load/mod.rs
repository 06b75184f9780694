//! A load whose every row version is accounted for: what is written and noted, and what the topics must then say.
//!
//! Writers insert, update and delete rows of a few tables and change their keys, in transactions of many sizes, and note
//! each committed version. The verification reads the topics once whoever wrote to them has ended.

pub mod verify;
pub mod writer;

use serde_json::Value;

use super::server::Server;

/// The tables, with their key and their columns.
pub const TABLES: [(&str, &str, &str); 3] = [
    ("shop.orders", "id", "id,version,transaction,label"),
    ("shop.lines", "order_id,line", "order_id,line,version,transaction,label"),
    ("shop.notes", "code", "code,version,transaction,label"),
];

/// What was there when whoever captured the tables had ended.
pub struct Death {
    /// The stored offset.
    pub stored: Value,
    /// Ends of the partitions of each table's topic, read after the offset.
    pub ends: Vec<Vec<i64>>,
}

/// Makes the tables, and `shop.rest`, which every transaction writes to and nobody accounts for.
pub fn create_tables(server: &Server) {
    server.sql(&[
        "CREATE DATABASE shop",
        "CREATE TABLE shop.orders (id BIGINT PRIMARY KEY, version BIGINT NOT NULL, transaction BIGINT NOT NULL, label TEXT)",
        "CREATE TABLE shop.lines (order_id BIGINT, line INT, version BIGINT NOT NULL, transaction BIGINT NOT NULL, \
         label TEXT, PRIMARY KEY (order_id, line))",
        "CREATE TABLE shop.notes (code VARCHAR(40) PRIMARY KEY, version BIGINT NOT NULL, transaction BIGINT NOT NULL, \
         label TEXT)",
        "CREATE TABLE shop.rest (id BIGINT PRIMARY KEY AUTO_INCREMENT, v INT)",
    ]);
}
