//! The `util` room.
pub mod java_regex;

pub mod avro_name;
pub mod backoff;
pub mod class_options;
pub mod clock;
pub mod digest;
pub mod http;
pub mod java_hash;
pub mod java_text;
pub mod key_store;
pub mod percent;
pub mod simple_date_format;
pub mod stop;

pub mod kafka;
