//! The `source` room: server bytes in, batches of `Change` out.
pub mod binlog;
