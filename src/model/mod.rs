//! The `model` room.
pub mod table;
