//! The MySQL and MariaDB binlog source.
pub mod codec;
pub mod connection;
pub mod ddl;
pub mod event;
pub mod wire;
