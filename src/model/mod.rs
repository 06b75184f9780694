//! The `model` room.
pub mod modes;
pub mod table;
