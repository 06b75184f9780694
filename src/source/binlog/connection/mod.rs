//! The `source::binlog::connection` room.
