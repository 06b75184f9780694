//! Where records leave: bytes and a ticket in, the broker's acknowledgement out.
//!
//! In: [`EncodedBatch`](crate::model::encoded::EncodedBatch)es, in the order of the stream. Out: records in
//! Kafka; each settles its [`Share`](crate::model::ticket::Share) when the broker has acknowledged it, and
//! never before. Promised: no record is skipped without a setting, a log line and a counter; a record that
//! was not acknowledged holds the stored position back. Nothing here survives a crash: what was not
//! acknowledged comes again from the resume point.

pub mod counters;
mod error;
pub mod kafka;

pub use counters::SinkCounters;
pub use error::{CODES, SinkError};
