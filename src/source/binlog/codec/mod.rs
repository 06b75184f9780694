//! The `source::binlog::codec` room.
