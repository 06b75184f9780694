//! The `source::binlog::event` room.
