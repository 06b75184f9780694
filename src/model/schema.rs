//! Kafka Connect's schema: what a value is, apart from the bytes it is written as.
//!
//! Source: `org.apache.kafka.connect.data.Schema`. Two schemas are equal when every attribute is equal,
//! because a converter that registers schemas must not register the same one twice.

use std::sync::Arc;

use super::value::Value;

/// The shape of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// One byte, signed.
    Int8,
    /// Two bytes, signed.
    Int16,
    /// Four bytes, signed.
    Int32,
    /// Eight bytes, signed.
    Int64,
    /// IEEE 754, four bytes.
    Float32,
    /// IEEE 754, eight bytes.
    Float64,
    /// True or false.
    Boolean,
    /// UTF-8 text.
    String,
    /// Bytes.
    Bytes,
    /// A list of values of one schema.
    Array(Arc<Schema>),
    /// A map from values of one schema to values of another.
    Map(Arc<Schema>, Arc<Schema>),
    /// Named fields in order.
    Struct(Vec<Field>),
}

/// A Connect schema. Immutable once shared.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// The shape.
    pub kind: Kind,
    /// Whether null is a value.
    pub optional: bool,
    /// The schema's full name (`io.debezium.time.Date`, `server.db.table.Value`).
    pub name: Option<Arc<str>>,
    /// The version of that name.
    pub version: Option<i32>,
    /// Documentation.
    pub doc: Option<Arc<str>>,
    /// Parameters in the order in which they were set.
    pub parameters: Vec<(Arc<str>, Arc<str>)>,
    /// The default value; [`Value::Null`] where a default of null was declared.
    pub default: Option<Value>,
}

/// One field of a struct schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The field's name.
    pub name: Arc<str>,
    /// Its schema.
    pub schema: Arc<Schema>,
}

impl Field {
    /// A field.
    pub fn new(name: &str, schema: impl Into<Arc<Schema>>) -> Self {
        Field { name: name.into(), schema: schema.into() }
    }
}

impl Schema {
    /// A required schema of the given shape, without name, version, documentation or default.
    pub fn new(kind: Kind) -> Self {
        Schema { kind, optional: false, name: None, version: None, doc: None, parameters: Vec::new(), default: None }
    }

    /// The same schema, optional.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The same schema with a name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same schema with a version.
    #[must_use]
    pub fn version(mut self, version: i32) -> Self {
        self.version = Some(version);
        self
    }

    /// The same schema with documentation.
    #[must_use]
    pub fn doc(mut self, doc: &str) -> Self {
        self.doc = Some(doc.into());
        self
    }

    /// The same schema with one more parameter.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// The same schema with a default.
    #[must_use]
    pub fn default_value(mut self, value: Value) -> Self {
        self.default = Some(value);
        self
    }

    /// The fields, where this is a struct; none otherwise.
    pub fn fields(&self) -> &[Field] {
        if let Kind::Struct(fields) = &self.kind { fields } else { &[] }
    }

    /// The place of a field in a struct.
    pub fn field_index(&self, name: &str) -> Option<usize> {
        self.fields().iter().position(|field| &*field.name == name)
    }

    /// The value of a parameter.
    pub fn parameter_value(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| &**key == name).map(|(_, value)| &**value)
    }

    /// Connect's name of the shape, as the JSON converter prints it (`int32`, `struct`).
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::Int8 => "int8",
            Kind::Int16 => "int16",
            Kind::Int32 => "int32",
            Kind::Int64 => "int64",
            Kind::Float32 => "float",
            Kind::Float64 => "double",
            Kind::Boolean => "boolean",
            Kind::String => "string",
            Kind::Bytes => "bytes",
            Kind::Array(_) => "array",
            Kind::Map(_, _) => "map",
            Kind::Struct(_) => "struct",
        }
    }
}
