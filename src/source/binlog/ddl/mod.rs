//! The `source::binlog::ddl` room.
