//! The `util` room.
pub mod java_regex;
