//! What an event says of its record: read from the envelope, or from the record's headers.
//!
//! In: a record's value and headers. Out: the facts that attributes are made of, or none where the record has no event.
//! Promised: no allocation but in the batch's arena. Debezium's class reads headers as bytes that a JSON converter wrote
//! with schemas; the same values are read here before they are written, with the nulls and defaults that come of it.

use std::sync::Arc;

use super::Settings;
use super::attributes::Connector;
use crate::model::record::{Header, Typed};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, StructView, ValueError, ValueRef, field_or_default};
use crate::serialize::error::SerializeError;

/// The facts of one record.
pub(super) struct Facts<'r> {
    pub connector: &'static Connector,
    /// The schema of `source`.
    pub schema: &'r Arc<Schema>,
    pub source: &'r dyn StructView,
    /// Null where extensions are off.
    pub operation: ValueRef<'r>,
    pub transaction: ValueRef<'r>,
    /// Attributes from headers; none where they are generated.
    pub id: Option<ValueRef<'r>>,
    pub kind: Option<ValueRef<'r>>,
    pub trace_parent: Option<ValueRef<'r>>,
    /// The name of data's schema; within it none where the header is null.
    pub data_name: Option<Option<&'r str>>,
}

/// A record that Debezium's class fails at.
pub(super) fn no_event(reason: String) -> SerializeError {
    SerializeError::CloudEvent { reason }
}

pub(super) fn unreadable(field: &str) -> impl Fn(ValueError) -> SerializeError + '_ {
    move |source| SerializeError::Value { field: field.to_owned(), source }
}

/// The value and schema of a record, and its headers.
pub(super) struct Read<'r> {
    pub settings: &'r Settings,
    pub schema: &'r Arc<Schema>,
    pub value: &'r dyn StructView,
    pub headers: &'r [Header<'r>],
    pub arena: &'r Arena,
}

impl<'r> Read<'r> {
    /// The facts; none where a record without a value is written instead.
    pub(super) fn facts(&self) -> Result<Option<Facts<'r>>, SerializeError> {
        let metadata = &self.settings.metadata;
        if metadata.all_in_headers && (self.header("source").is_none() || self.header("op").is_none()) {
            return Ok(None);
        }
        let source = if metadata.all_in_headers { self.present("source")? } else { self.field("source")? };
        let (Some(schema), ValueRef::Struct(view)) = (source.schema, source.value) else {
            return Err(no_event("source is no struct".to_owned()));
        };
        let connector = self.connector(schema, view)?;
        let operation = match (self.settings.extensions, metadata.all_in_headers) {
            (false, _) => ValueRef::Null,
            (true, true) => self.text("op")?,
            (true, false) => text("op", self.field("op")?)?,
        };
        let transaction = if metadata.all_in_headers {
            self.header("transaction")
        } else {
            self.schema.field_index("transaction").map(|_| self.field("transaction")).transpose()?
        };
        let transaction = transaction.map_or(ValueRef::Null, |transaction| transaction.value);
        if !matches!(transaction, ValueRef::Struct(_) | ValueRef::Null) {
            return Err(no_event("transaction is no struct".to_owned()));
        }
        let trace_parent =
            || if self.header("traceparent").is_some() { self.text("traceparent") } else { Ok(ValueRef::Null) };
        let data_name = || {
            let name = self.text("dataSchemaName")?;
            Ok::<_, SerializeError>(if let ValueRef::String(name) = name { Some(name) } else { None })
        };
        Ok(Some(Facts {
            connector,
            schema,
            source: view,
            operation,
            transaction,
            id: metadata.id.then(|| self.text("id")).transpose()?,
            kind: metadata.kind.then(|| self.text("type")).transpose()?,
            trace_parent: metadata.trace_parent.then(trace_parent).transpose()?,
            data_name: metadata.data_name.then(data_name).transpose()?,
        }))
    }

    /// The connector that made the event.
    fn connector(&self, schema: &'r Schema, source: &'r dyn StructView) -> Result<&'static Connector, SerializeError> {
        let missing = || no_event("source has no field connector".to_owned());
        let index = schema.field_index("connector").ok_or_else(missing)?;
        let name = field_or_default(source, schema, index, self.arena).map_err(unreadable("source.connector"))?;
        let ValueRef::String(name) = name else { return Err(missing()) };
        Connector::find(name)
    }

    /// A field of the envelope, as `Struct.get` gives it.
    fn field(&self, name: &str) -> Result<Typed<'r>, SerializeError> {
        let missing = || no_event(format!("the envelope has no {name}"));
        let index = self.schema.field_index(name).ok_or_else(missing)?;
        let schema = &self.schema.fields().get(index).ok_or_else(missing)?.schema;
        let value = field_or_default(self.value, self.schema, index, self.arena).map_err(unreadable(name))?;
        Ok(Typed { schema: Some(schema), value })
    }

    /// The last header of a name, as a JSON converter writes and reads it: the schema's default for null.
    fn header(&self, name: &str) -> Option<Typed<'r>> {
        let part = self.headers.iter().rev().find(|header| header.name == name)?.value;
        let value = part.schema.map_or(part.value, |schema| part.value.or_default(schema, self.arena));
        Some(Typed { schema: part.schema, value })
    }

    fn present(&self, name: &str) -> Result<Typed<'r>, SerializeError> {
        self.header(name).ok_or_else(|| no_event(format!("the record has no header {name}")))
    }

    /// Text, or null, in a header that must be there.
    fn text(&self, name: &str) -> Result<ValueRef<'r>, SerializeError> {
        text(name, self.present(name)?)
    }
}

/// What Java takes for a `String`, or null.
fn text<'r>(name: &str, part: Typed<'r>) -> Result<ValueRef<'r>, SerializeError> {
    let is_text = part.schema.is_none_or(|schema| schema.kind == Kind::String);
    if is_text && matches!(part.value, ValueRef::String(_) | ValueRef::Null) {
        return Ok(part.value);
    }
    if matches!(part.value, ValueRef::Null) {
        return Ok(ValueRef::Null);
    }
    Err(no_event(format!("{name} is no text, but {:?}", part.value)))
}
