//! The `source::binlog::wire` room.
