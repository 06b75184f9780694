//! A place in a source's stream from which reading can go on.
//!
//! Opaque to everyone but its source; printable; stored under the field names that Debezium uses in Kafka
//! Connect's offset topic, so that either can continue from the other.

use std::fmt;
use std::sync::Arc;

/// One field of a stored offset. Kafka Connect allows nulls, booleans, numbers and strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OffsetField {
    /// Null.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

/// A stored offset: field names and values, in writing order.
pub type OffsetMap = Vec<(String, OffsetField)>;

/// A place from which the source that made it can go on.
pub trait ResumePoint: Send + Sync + fmt::Debug {
    /// The fields to store. Called when a position is stored, not for each record.
    fn offset(&self) -> OffsetMap;
}

/// When the database wrote what a position stands behind, in milliseconds since the epoch, where its fields say so: Debezium
/// calls it `ts_sec` for MySQL and MariaDB, and `ts_usec` for PostgreSQL.
pub fn time_ms(offset: &OffsetMap) -> Option<i64> {
    offset.iter().find_map(|(name, field)| match (name.as_str(), field) {
        ("ts_sec", OffsetField::Integer(seconds)) => seconds.checked_mul(1000),
        ("ts_usec", OffsetField::Integer(micros)) => Some(micros / 1000),
        _ => None,
    })
}

/// A shared resume point.
pub type Position = Arc<dyn ResumePoint>;

/// A resume point that was read from a store: exactly the fields that lay there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOffset(pub OffsetMap);

impl ResumePoint for StoredOffset {
    fn offset(&self) -> OffsetMap {
        self.0.clone()
    }
}

impl StoredOffset {
    /// The text of a field.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.iter().find(|(key, _)| key == name) {
            Some((_, OffsetField::Text(text))) => Some(text),
            _ => None,
        }
    }

    /// The number of a field.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.0.iter().find(|(key, _)| key == name) {
            Some((_, OffsetField::Integer(number))) => Some(*number),
            _ => None,
        }
    }
}

/// Prints a position on one line: `file=binlog.000003 pos=1234 row=1`.
pub struct Printed<'a>(pub &'a dyn ResumePoint);

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, field)) in self.0.offset().iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match field {
                OffsetField::Null => write!(f, "{name}=null")?,
                OffsetField::Boolean(value) => write!(f, "{name}={value}")?,
                OffsetField::Integer(value) => write!(f, "{name}={value}")?,
                OffsetField::Text(value) => write!(f, "{name}={value}")?,
            }
        }
        Ok(())
    }
}
