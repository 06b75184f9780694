//! Serializers: a value and its schema in, the bytes of a Kafka key, value or header out.
//!
//! In: [`ValueRef`] and [`Schema`] as the envelope hands them over. Out: bytes appended to the batch's buffer,
//! equal to what the Connect converter of the same name writes. Promised: a [`Plan`] is made once for a schema
//! and topic and may ask a registry; writing a value then costs no allocation, no look-up, no input or output.
//! Nothing here survives a crash: schema ids are asked for again, and registering a schema twice is one schema.
//!
//! ```text
//!  Schema, topic ──▶ Converter::prepare ──▶ Plan        once per schema (Avro: registers the schema text)
//!  ValueRef ───────▶ Plan::write ────────▶ bytes        once per record
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::model::record::Header;
use crate::model::schema::Schema;
use crate::model::value::{Arena, ValueRef};

pub mod avro;
pub mod binary;
pub mod bytes;
pub mod cloud_events;
pub mod error;
pub use crate::util::java_text;
pub mod json;
pub mod number;
pub mod registry;
pub mod simple_header;
pub mod string;

pub use crate::util::class_options::{ClassOption, Options};
pub use error::SerializeError;

/// Every converter there is. A new one is one file and one line here.
pub static SPECS: &[&ConverterSpec] = &[
    &json::SPEC,
    &avro::SPEC,
    &avro::APICURIO,
    &string::SPEC,
    &bytes::SPEC,
    &binary::BINARY_DATA,
    &binary::BYTE_ARRAY,
    &cloud_events::SPEC,
    &simple_header::SPEC,
    &number::SHORT,
    &number::INTEGER,
    &number::LONG,
    &number::FLOAT,
    &number::DOUBLE,
    &number::BOOLEAN,
];

/// What a converter is used for; Connect tells it the same (`isKey`, or another interface for headers).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `key.converter`
    Key,
    /// `value.converter`
    Value,
    /// `header.converter`
    Header,
}

/// Makes plans. One for each of key, value and headers of a connector, shared by its encode workers.
pub trait Converter: Send + Sync {
    /// The plan for values of one schema on one topic. May ask a registry and wait for it (bounded by the
    /// converter's own deadline); the caller keeps the plan for as long as topic and schema stay the same.
    ///
    /// `schema` is `None` for a schemaless value and for a tombstone, as in Connect.
    ///
    /// # Errors
    /// When the schema cannot be written in this format, or a registry refuses it or does not answer.
    fn prepare(&self, topic: &str, schema: Option<&Arc<Schema>>) -> Result<Arc<dyn Plan>, SerializeError>;

    /// Whether a null of this schema is no bytes at all, which needs no plan: a converter with a registry would register a
    /// schema of which nothing is written.
    fn is_tombstone(&self, _schema: &Schema) -> bool {
        false
    }

    /// Whether what it writes depends on the record's headers, as a JSON converter with schemas writes them.
    fn reads_headers(&self) -> bool {
        false
    }
}

/// Writes values of one schema. Shared by all threads.
pub trait Plan: Send + Sync {
    /// Appends the value's bytes to `out`; `Ok(false)` is a null record value (a tombstone), for which nothing
    /// is appended. On an error `out` is as it was.
    ///
    /// # Errors
    /// When the value does not fit its schema or its bytes cannot be decoded.
    fn write(&self, value: &ValueRef<'_>, arena: &Arena, out: &mut Vec<u8>) -> Result<bool, SerializeError>;

    /// The same plan, where topic and schema do not decide alone how a value is written.
    fn by_record(&self) -> Option<&dyn RecordPlan> {
        None
    }
}

/// A key or value, and the headers of its record.
#[derive(Clone, Copy, Debug)]
pub struct RecordPart<'r> {
    /// The value.
    pub value: &'r ValueRef<'r>,
    /// The headers.
    pub headers: &'r [Header<'r>],
}

/// What became of a part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its bytes were appended.
    Written,
    /// It is null; nothing was appended.
    Null,
    /// A registry must be asked first; nothing was appended.
    Unprepared,
}

/// Writes values whose schemas in a registry depend on what the record says: CloudEvents.
pub trait RecordPlan: Send + Sync {
    /// Appends the bytes of a part of a record to `out`. With `may_ask`, a registry may be asked and waited for, as in
    /// [`Converter::prepare`], and the outcome is never [`Outcome::Unprepared`]. On an error `out` is as it was.
    ///
    /// # Errors
    /// When the record cannot be written in this format, or a registry refuses its schemas or does not answer.
    fn write_record(
        &self,
        record: &RecordPart<'_>,
        may_ask: bool,
        arena: &Arena,
        out: &mut Vec<u8>,
    ) -> Result<Outcome, SerializeError>;
}

/// Makes a converter from its options; the flag ends waiting when it becomes true.
pub type Build = fn(&Options<'_>, Role, &Arc<AtomicBool>) -> Result<Arc<dyn Converter>, SerializeError>;

/// One converter: its names, what it takes, how it is made.
pub struct ConverterSpec {
    /// Its short name.
    pub name: &'static str,
    /// The Java classes that it stands for.
    pub aliases: &'static [&'static str],
    /// What it writes, in a line.
    pub about: &'static str,
    /// What can be set, beneath `key.converter.`, `value.converter.` or `header.converter.`.
    pub options: &'static [&'static [ClassOption]],
    /// Makes it.
    pub build: Build,
}

impl ConverterSpec {
    /// The options of this converter, one after the other.
    pub fn options(&self) -> impl Iterator<Item = &'static ClassOption> {
        self.options.iter().flat_map(|table| table.iter())
    }
}

/// The converter that a configuration names, by its Java class (with or without package) or its short name.
pub fn find(class: &str) -> Option<&'static ConverterSpec> {
    let simple = |full: &str| full.rsplit('.').next().is_some_and(|last| last == class);
    let is = |spec: &&&ConverterSpec| spec.name == class || spec.aliases.contains(&class);
    // Connect also takes a class's simple name, and the name without "Converter".
    let short = |spec: &&&ConverterSpec| {
        spec.aliases.iter().any(|full| simple(full) || full.rsplit('.').next() == Some(&format!("{class}Converter")))
    };
    SPECS.iter().find(is).or_else(|| SPECS.iter().find(short)).copied()
}

/// Builds the converter `class` from its own options (the prefix `value.converter.` taken off).
///
/// `stop` ends waiting for a registry when it becomes true.
///
/// # Errors
/// When there is no such converter, or an option's value is not one it takes.
pub fn build(
    config: &BTreeMap<String, String>,
    class: &str,
    role: Role,
    stop: &Arc<AtomicBool>,
) -> Result<Arc<dyn Converter>, SerializeError> {
    let spec = find(class.trim()).ok_or_else(|| SerializeError::UnknownConverter { class: class.into() })?;
    (spec.build)(&Options::new(config), role, stop)
}

/// Checks that headers are written as converters for keys and values read them, where they do.
///
/// # Errors
/// When one reads them, and `header.converter` is not JSON with schemas: Debezium's class cannot read other headers, and
/// fails at every record that has them.
pub fn check_header_converter(
    converters: &[&Arc<dyn Converter>],
    class: &str,
    config: &BTreeMap<String, String>,
) -> Result<(), SerializeError> {
    if !converters.iter().any(|converter| converter.reads_headers()) {
        return Ok(());
    }
    let is_json = find(class.trim()).is_some_and(|spec| std::ptr::eq(spec, &json::SPEC));
    if is_json && Options::new(config).flag("schemas.enable", true)? {
        return Ok(());
    }
    Err(SerializeError::Unsupported {
        what: "CloudEventsConverter with metadata from headers".to_owned(),
        reason: "it reads headers as a JSON converter writes them with schemas; set header.converter=org.apache.kafka.connect.json.JsonConverter and header.converter.schemas.enable=true".to_owned(),
    })
}
