//! A Connect schema as the Avro schema that Confluent's `AvroData` makes of it.
//!
//! In: a Connect schema. Out: a tree that [`text`](super::text) prints as Avro's Java library prints it. The order of
//! properties is part of the result, because a registry compares texts: the order in which `AvroData` adds them.
//! Source: `AvroData.fromConnectSchema` of Confluent 7.x and 8.x, which agree for every schema that Debezium makes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::AvroOptions;
use super::default::{Place, default_json};
use super::name::{self, AvroName};
use crate::model::schema::{Kind, Schema};
use crate::model::value::Value;
use crate::serialize::error::SerializeError;
use crate::serialize::json::escape::quoted;

pub(super) const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";
const NAMESPACE: &str = "io.confluent.connect.avro";
const DEFAULT_NAME: &str = "ConnectDefault";
const MAP_ENTRY: &str = "MapEntry";
/// A default that came from an Avro field default and must not be repeated in the type.
const FIELD_DEFAULT_FLAG: &str = "io.confluent.connect.avro.field.default";
/// Schemas that only Confluent's own readers make; Debezium does not.
const FOREIGN: &[&str] = &[
    "io.confluent.connect.avro.Enum",
    "io.confluent.connect.avro.Union",
    "org.apache.kafka.connect.data.Enum",
    "org.apache.kafka.connect.data.Union",
    "connect.fixed.size",
];

/// An Avro schema.
#[derive(Debug)]
pub(super) struct AvroType {
    pub kind: AvroKind,
    /// Properties in the order they were added, their values as JSON text.
    pub props: Vec<(String, String)>,
}

#[derive(Debug)]
pub(super) enum AvroKind {
    /// `null`, `int`, `string`, …
    Primitive(&'static str),
    Array(Arc<AvroType>),
    Map(Arc<AvroType>),
    Record(AvroRecord),
    Union(Vec<Arc<AvroType>>),
}

#[derive(Debug)]
pub(super) struct AvroRecord {
    pub name: AvroName,
    pub doc: Option<String>,
    pub fields: Vec<AvroField>,
}

#[derive(Debug)]
pub(super) struct AvroField {
    pub name: String,
    pub schema: Arc<AvroType>,
    pub doc: Option<String>,
    /// As JSON text.
    pub default: Option<String>,
    pub props: Vec<(String, String)>,
}

/// Makes the Avro schema of a Connect schema.
///
/// # Errors
/// When a name is not Avro's, or two different schemas have one name.
pub(super) fn convert(schema: &Schema, options: &AvroOptions) -> Result<Arc<AvroType>, SerializeError> {
    Conversion { options, unnamed: 0, made: Vec::new(), structs: HashMap::new(), seen: HashSet::new() }.schema(schema)
}

/// What one conversion has met so far.
struct Conversion<'o> {
    options: &'o AvroOptions,
    /// How many structs had no name.
    unnamed: u32,
    /// Required schemas that were converted: a type is declared once and referred to afterwards.
    made: Vec<(Schema, Arc<AvroType>)>,
    /// Structs by their Connect name.
    structs: HashMap<Arc<str>, (Schema, Arc<AvroType>)>,
    /// Names of field schemas.
    seen: HashSet<Arc<str>>,
}

impl Conversion<'_> {
    fn schema(&mut self, schema: &Schema) -> Result<Arc<AvroType>, SerializeError> {
        if !schema.optional
            && let Some((_, made)) = self.made.iter().find(|(known, _)| known == schema)
        {
            return Ok(made.clone());
        }
        refuse_foreign(schema)?;
        if schema.optional && matches!(schema.kind, Kind::Struct(_)) {
            let mut required = schema.clone();
            required.optional = false;
            let record = self.schema_or_reference(&required)?;
            return Ok(union(vec![null(), record]));
        }
        let mut base = self.base(schema)?;
        self.add_properties(schema, &mut base.props)?;
        let base = Arc::new(base);
        if schema.optional {
            return Ok(optional(schema, base));
        }
        if let (Kind::Struct(_), Some(name)) = (&schema.kind, &schema.name) {
            self.structs.insert(name.clone(), (schema.clone(), base.clone()));
        }
        self.made.push((schema.clone(), base.clone()));
        Ok(base)
    }

    /// The same, or a reference to the struct of that name.
    fn schema_or_reference(&mut self, schema: &Schema) -> Result<Arc<AvroType>, SerializeError> {
        let known = schema.name.as_ref().and_then(|name| self.structs.get(name));
        let Some((known, made)) = known else { return self.schema(schema) };
        if !same_structure(&known.kind, &schema.kind) {
            return Err(redefined(schema));
        }
        Ok(if schema.optional { optional(schema, made.clone()) } else { made.clone() })
    }

    fn base(&mut self, schema: &Schema) -> Result<AvroType, SerializeError> {
        let mut props = Vec::new();
        let kind = match &schema.kind {
            Kind::Int8 | Kind::Int16 | Kind::Int32 => AvroKind::Primitive("int"),
            Kind::Int64 => AvroKind::Primitive("long"),
            Kind::Float32 => AvroKind::Primitive("float"),
            Kind::Float64 => AvroKind::Primitive("double"),
            Kind::Boolean => AvroKind::Primitive("boolean"),
            Kind::String => AvroKind::Primitive("string"),
            Kind::Bytes => {
                if let Some((precision, scale)) = decimal(schema)? {
                    props.push(("scale".into(), scale.to_string()));
                    props.push(("precision".into(), precision.to_string()));
                }
                AvroKind::Primitive("bytes")
            }
            Kind::Array(items) => AvroKind::Array(self.schema_or_reference(items)?),
            Kind::Map(keys, values) if self.options.is_avro_map(keys) => {
                AvroKind::Map(self.schema_or_reference(values)?)
            }
            Kind::Map(keys, values) => AvroKind::Array(self.map_entry(schema, keys, values)?),
            Kind::Struct(_) => AvroKind::Record(self.record(schema)?),
        };
        Ok(AvroType { kind, props })
    }

    fn map_entry(&mut self, schema: &Schema, keys: &Schema, values: &Schema) -> Result<Arc<AvroType>, SerializeError> {
        let mut props = Vec::new();
        let name = match &schema.name {
            None => AvroName { name: MAP_ENTRY.into(), namespace: Some(NAMESPACE.into()) },
            Some(name) => {
                props.push(("connect.internal.type".into(), quoted(MAP_ENTRY)));
                AvroName::split(name, self.options.scrub_names)
            }
        };
        name::check(&name.name, &name.full())?;
        let clash = |(known, _): &&(Schema, Arc<AvroType>)| {
            matches!(&known.kind, Kind::Map(k, v) if known.name == schema.name && !self.options.is_avro_map(k)
                && !(same_structure(&k.kind, &keys.kind) && same_structure(&v.kind, &values.kind)))
        };
        if self.made.iter().find(clash).is_some() {
            return Err(SerializeError::AvroRedefined { name: name.full() });
        }
        let fields = vec![self.field("key", keys, None)?, self.field("value", values, None)?];
        Ok(Arc::new(AvroType { kind: AvroKind::Record(AvroRecord { name, doc: None, fields }), props }))
    }

    fn record(&mut self, schema: &Schema) -> Result<AvroRecord, SerializeError> {
        let name = match &schema.name {
            Some(name) => AvroName::split(name, self.options.scrub_names),
            None => {
                self.unnamed += 1;
                let number = if self.unnamed > 1 { self.unnamed.to_string() } else { String::new() };
                AvroName { name: format!("{DEFAULT_NAME}{number}"), namespace: Some(NAMESPACE.into()) }
            }
        };
        let full = name.full();
        name::check(&name.name, &full)?;
        if let Some((known, _)) = schema.name.as_ref().and_then(|name| self.structs.get(name))
            && !same_structure(&known.kind, &schema.kind)
        {
            return Err(redefined(schema));
        }
        let doc_parameter = if self.options.discard_type_doc_default {
            "connect.record.doc"
        } else {
            "io.confluent.connect.avro.record.doc"
        };
        let doc = schema.parameter_value(doc_parameter).map(str::to_owned);
        let mut fields = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let field_name = if self.options.scrub_names { name::scrub(&field.name) } else { (*field.name).to_owned() };
            name::check(&field_name, &full)?;
            let parameter = format!("io.confluent.connect.avro.field.doc.{}", field.name);
            let doc = schema.parameter_value(&parameter).filter(|_| !self.options.discard_type_doc_default);
            fields.push(self.field(&field_name, &field.schema, doc)?);
        }
        Ok(AvroRecord { name, doc, fields })
    }

    fn field(&mut self, name: &str, schema: &Schema, doc: Option<&str>) -> Result<AvroField, SerializeError> {
        let default = match value_of_default(schema) {
            Some(value) => default_json(schema, value, Place::Field, self.options)?,
            None => schema.optional.then(|| "null".to_owned()),
        };
        let seen_before = schema.name.as_ref().is_some_and(|name| !self.seen.insert(name.clone()));
        let converted = self.schema(schema)?;
        let mut props = Vec::new();
        if self.options.meta_data && seen_before && !schema.parameters.is_empty() && is_named(&converted) {
            props.extend(self.parameters(schema).map(|text| ("connect.parameters".to_owned(), text)));
        }
        let doc = if self.options.discard_type_doc_default { schema.doc.as_deref() } else { doc };
        Ok(AvroField { name: name.into(), schema: converted, doc: doc.map(str::to_owned), default, props })
    }

    fn add_properties(&self, schema: &Schema, props: &mut Vec<(String, String)>) -> Result<(), SerializeError> {
        if self.options.meta_data {
            self.add_meta_data(schema, props)?;
        }
        if let Some(logical) = schema.name.as_deref().and_then(logical_type) {
            props.push(("logicalType".into(), quoted(logical)));
        }
        for (name, value) in schema.parameters.iter().filter(|(name, _)| name.starts_with("avro")) {
            props.push((name.to_string(), quoted(value)));
        }
        Ok(())
    }

    fn add_meta_data(&self, schema: &Schema, props: &mut Vec<(String, String)>) -> Result<(), SerializeError> {
        if let Some(doc) = &schema.doc {
            props.push(("connect.doc".into(), quoted(doc)));
        }
        if let Some(version) = schema.version {
            props.push(("connect.version".into(), version.to_string()));
        }
        props.extend(self.parameters(schema).map(|text| ("connect.parameters".to_owned(), text)));
        let repeat = self.options.discard_type_doc_default || schema.parameter_value(FIELD_DEFAULT_FLAG).is_none();
        if let Some(default) = value_of_default(schema).filter(|_| repeat)
            && let Some(text) = default_json(schema, default, Place::Property, self.options)?
        {
            props.push(("connect.default".into(), text));
        }
        if let Some(name) = &schema.name {
            props.push(("connect.name".into(), quoted(name)));
        }
        match schema.kind {
            Kind::Int8 => props.push(("connect.type".into(), quoted("int8"))),
            Kind::Int16 => props.push(("connect.type".into(), quoted("int16"))),
            Kind::Int32
            | Kind::Int64
            | Kind::Float32
            | Kind::Float64
            | Kind::Boolean
            | Kind::String
            | Kind::Bytes
            | Kind::Array(_)
            | Kind::Map(_, _)
            | Kind::Struct(_) => {}
        }
        Ok(())
    }

    /// `connect.parameters`, where there are any.
    fn parameters(&self, schema: &Schema) -> Option<String> {
        let kept = |name: &str| self.options.discard_type_doc_default || name != FIELD_DEFAULT_FLAG;
        let mut members = schema.parameters.iter().filter(|(name, _)| kept(name)).peekable();
        members.peek()?;
        let texts: Vec<String> = members.map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
        Some(format!("{{{}}}", texts.join(",")))
    }
}

/// The default, where one other than null was declared.
pub(super) fn value_of_default(schema: &Schema) -> Option<&Value> {
    schema.default.as_ref().filter(|default| **default != Value::Null)
}

fn null() -> Arc<AvroType> {
    Arc::new(AvroType { kind: AvroKind::Primitive("null"), props: Vec::new() })
}

fn union(branches: Vec<Arc<AvroType>>) -> Arc<AvroType> {
    Arc::new(AvroType { kind: AvroKind::Union(branches), props: Vec::new() })
}

/// A union with null, the default's type first.
fn optional(schema: &Schema, base: Arc<AvroType>) -> Arc<AvroType> {
    union(if value_of_default(schema).is_some() { vec![base, null()] } else { vec![null(), base] })
}

fn is_named(schema: &AvroType) -> bool {
    match &schema.kind {
        AvroKind::Record(_) => true,
        AvroKind::Union(branches) => branches.iter().any(|branch| matches!(branch.kind, AvroKind::Record(_))),
        AvroKind::Primitive(_) | AvroKind::Array(_) | AvroKind::Map(_) => false,
    }
}

fn logical_type(name: &str) -> Option<&'static str> {
    const LOGICAL: &[(&str, &str)] = &[
        (DECIMAL, "decimal"),
        ("org.apache.kafka.connect.data.Time", "time-millis"),
        ("org.apache.kafka.connect.data.Timestamp", "timestamp-millis"),
        ("org.apache.kafka.connect.data.Date", "date"),
    ];
    LOGICAL.iter().find(|(connect, _)| connect.eq_ignore_ascii_case(name)).map(|(_, avro)| *avro)
}

/// Precision and scale of Connect's Decimal; none for other bytes.
fn decimal(schema: &Schema) -> Result<Option<(i64, i64)>, SerializeError> {
    if !schema.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(DECIMAL)) {
        return Ok(None);
    }
    let number = |name: &str| schema.parameter_value(name).map(str::parse::<i64>);
    let broken = || SerializeError::AvroSchema {
        reason: "a Decimal without a scale, or with a precision that is no number".into(),
    };
    let scale = number("scale").and_then(Result::ok).ok_or_else(broken)?;
    // 64 is what AvroData writes where the source gives no precision.
    let precision = number("connect.decimal.precision").unwrap_or(Ok(64)).map_err(|_| broken())?;
    if precision <= 0 {
        return Err(SerializeError::AvroSchema { reason: format!("a Decimal of precision {precision}") });
    }
    Ok(Some((precision, scale)))
}

fn refuse_foreign(schema: &Schema) -> Result<(), SerializeError> {
    let foreign = FOREIGN.iter().find(|name| {
        schema.parameter_value(name).is_some()
            || (schema.name.as_deref() == Some(**name) && **name != "connect.fixed.size")
    });
    match foreign {
        None => Ok(()),
        Some(name) => Err(SerializeError::AvroSchema {
            reason: format!("{name} (Avro's enum, fixed and union types) is not supported"),
        }),
    }
}

fn redefined(schema: &Schema) -> SerializeError {
    SerializeError::AvroRedefined { name: schema.name.as_deref().unwrap_or_default().into() }
}

/// Whether two schemas are written as the same bytes.
fn same_structure(left: &Kind, right: &Kind) -> bool {
    let same = |left: &Schema, right: &Schema| {
        left.optional == right.optional
            && (!left.optional || value_of_default(left).is_some() == value_of_default(right).is_some())
            && same_structure(&left.kind, &right.kind)
    };
    match (left, right) {
        (Kind::Struct(left), Kind::Struct(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(l, r)| l.name == r.name && same(&l.schema, &r.schema))
        }
        (Kind::Array(left), Kind::Array(right)) => same(left, right),
        (Kind::Map(lk, lv), Kind::Map(rk, rv)) => same(lk, rk) && same(lv, rv),
        (left, right) => left == right,
    }
}
