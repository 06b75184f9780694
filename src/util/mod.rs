//! The `util` room.
pub mod java_regex;

pub mod backoff;
pub mod class_options;
pub mod clock;
pub mod digest;
pub mod java_hash;
pub mod stop;

pub mod kafka;
