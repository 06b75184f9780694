//! The text of an Avro schema, as `Schema.toString()` of Avro's Java library prints it.
//!
//! A named type is written out the first time and by its name afterwards; namespaces are written where they
//! differ from the enclosing one; a type without properties is its bare name.

use std::collections::HashSet;

use super::name::AvroName;
use super::schema::{AvroKind, AvroRecord, AvroType};
use crate::serialize::json::escape::quoted;

/// Names that would be read as a type when written without namespace.
const TYPE_NAMES: &[&str] = &[
    "record", "enum", "array", "map", "union", "fixed", "string", "bytes", "int", "long", "float", "double", "boolean",
    "null",
];

/// The text of a schema.
pub(super) fn text(schema: &AvroType) -> String {
    let mut writer = Writer { known: HashSet::new(), out: String::new() };
    writer.schema(schema, None);
    writer.out
}

struct Writer {
    /// Full names already written out.
    known: HashSet<String>,
    out: String,
}

impl Writer {
    fn schema(&mut self, schema: &AvroType, namespace: Option<&str>) {
        match &schema.kind {
            AvroKind::Primitive(name) if schema.props.is_empty() => self.out.push_str(&quoted(name)),
            AvroKind::Primitive(name) => {
                self.out.push_str("{\"type\":");
                self.out.push_str(&quoted(name));
                self.props(&schema.props);
                self.out.push('}');
            }
            AvroKind::Array(items) => self.container("array\",\"items", items, &schema.props, namespace),
            AvroKind::Map(values) => self.container("map\",\"values", values, &schema.props, namespace),
            AvroKind::Union(branches) => {
                self.out.push('[');
                for (index, branch) in branches.iter().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    self.schema(branch, namespace);
                }
                self.out.push(']');
            }
            AvroKind::Record(record) => self.record(record, &schema.props, namespace),
        }
    }

    fn container(&mut self, opening: &str, inner: &AvroType, props: &[(String, String)], namespace: Option<&str>) {
        self.out.push_str("{\"type\":\"");
        self.out.push_str(opening);
        self.out.push_str("\":");
        self.schema(inner, namespace);
        self.props(props);
        self.out.push('}');
    }

    fn record(&mut self, record: &AvroRecord, props: &[(String, String)], namespace: Option<&str>) {
        if !self.known.insert(record.name.full()) {
            self.out.push_str(&quoted(&reference(&record.name, namespace)));
            return;
        }
        self.out.push_str("{\"type\":\"record\",\"name\":");
        self.out.push_str(&quoted(&record.name.name));
        let own = record.name.namespace.as_deref();
        if own != namespace {
            self.out.push_str(",\"namespace\":");
            self.out.push_str(&quoted(own.unwrap_or_default()));
        }
        if let Some(doc) = &record.doc {
            self.out.push_str(",\"doc\":");
            self.out.push_str(&quoted(doc));
        }
        self.out.push_str(",\"fields\":[");
        for (index, field) in record.fields.iter().enumerate() {
            self.out.push_str(if index > 0 { ",{\"name\":" } else { "{\"name\":" });
            self.out.push_str(&quoted(&field.name));
            self.out.push_str(",\"type\":");
            self.schema(&field.schema, own);
            if let Some(doc) = &field.doc {
                self.out.push_str(",\"doc\":");
                self.out.push_str(&quoted(doc));
            }
            if let Some(default) = &field.default {
                self.out.push_str(",\"default\":");
                self.out.push_str(default);
            }
            self.props(&field.props);
            self.out.push('}');
        }
        self.out.push(']');
        self.props(props);
        self.out.push('}');
    }

    fn props(&mut self, props: &[(String, String)]) {
        for (name, value) in props {
            self.out.push(',');
            self.out.push_str(&quoted(name));
            self.out.push(':');
            self.out.push_str(value);
        }
    }
}

fn reference(name: &AvroName, namespace: Option<&str>) -> String {
    let same = name.namespace.is_some() && name.namespace.as_deref() == namespace;
    if same && !TYPE_NAMES.contains(&name.name.as_str()) { name.name.clone() } else { name.full() }
}
