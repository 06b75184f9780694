//! `metadata.source`: where each attribute of an event comes from.
//!
//! In: the option. Out: what is read from the record's headers. Promised: read as Debezium's class reads it, and what
//! leaves no record with an event is refused.

use super::unsupported;
use crate::serialize::error::SerializeError;
use crate::util::class_options::{BadOption, Options};

/// What holds when it is not set.
pub(super) const DEFAULT: &str = "value,id:generate,type:generate,traceparent:header,dataSchemaName:generate";

/// Where an attribute comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Value,
    Header,
    Generate,
}

/// What comes from headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Metadata {
    /// `source`, `op` and `transaction`; the record's value is data then, whatever its shape.
    pub all_in_headers: bool,
    /// `id`, which is generated otherwise.
    pub id: bool,
    /// `type`, which is generated otherwise.
    pub kind: bool,
    /// `traceparent`, which an event does not have otherwise.
    pub trace_parent: bool,
    /// `dataSchemaName`, which is generated otherwise.
    pub data_name: bool,
}

impl Metadata {
    /// Reads the option and those that go with it.
    pub(super) fn read(options: &Options<'_>) -> Result<Metadata, SerializeError> {
        let text = options.text("metadata.source").unwrap_or(DEFAULT);
        let expected = "value or header, then id, type, traceparent, dataSchemaName with :generate or :header";
        let bad = || BadOption { option: "metadata.source", value: text.to_owned(), expected };
        let mut entries = text.split(',').map(str::trim);
        let all = entries.next().and_then(source).filter(|all| *all != Source::Generate).ok_or_else(bad)?;
        let (mut id, mut kind, mut trace_parent, mut data_name) = (all, all, all, all);
        for entry in entries {
            let mut parts = entry.split(':');
            let attribute = match parts.next() {
                Some("id") => &mut id,
                Some("type") => &mut kind,
                Some("traceparent") => &mut trace_parent,
                Some("dataSchemaName") => &mut data_name,
                _ => return Err(bad().into()),
            };
            *attribute = parts.next().and_then(source).filter(|source| *source != Source::Value).ok_or_else(bad)?;
        }
        for (name, source) in [("id", id), ("type", kind)] {
            if source == Source::Value {
                let reason = format!(
                    "no {name} can be had from a record's value, which leaves every event without; add {name}:generate or {name}:header"
                );
                return Err(unsupported(&format!("metadata.source={text}"), &reason));
            }
        }
        let tracing = options.flag("opentelemetry.tracing.attributes.enable", false)?;
        if tracing && trace_parent != Source::Header {
            let reason = "traceparent can only be had from a header; add traceparent:header to metadata.source";
            return Err(unsupported("opentelemetry.tracing.attributes.enable=true", reason));
        }
        let named = options.flag("schema.data.name.source.header.enable", false)?;
        Ok(Metadata {
            all_in_headers: all == Source::Header,
            id: id == Source::Header,
            kind: kind == Source::Header,
            trace_parent: tracing,
            data_name: named && data_name == Source::Header,
        })
    }

    /// Whether anything comes from headers.
    pub(super) fn reads_headers(&self) -> bool {
        self.all_in_headers || self.id || self.kind || self.trace_parent || self.data_name
    }
}

fn source(text: &str) -> Option<Source> {
    match text.trim().to_ascii_lowercase().as_str() {
        "value" => Some(Source::Value),
        "header" => Some(Source::Header),
        "generate" => Some(Source::Generate),
        _ => None,
    }
}
