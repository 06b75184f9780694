//! Values without a schema, as Confluent's converter writes them: `io.confluent.connect.avro.Anything`, a record that has a
//! field for each type, of which one is not null.
//!
//! In: a value that no schema describes (an empty JSON list that an outbox router was to expand). Out: its schema's text
//! and its body. Promised: what `AvroData.ANYTHING_SCHEMA` is registered as. A struct is never without a schema.

use super::name::AvroName;
use super::plan::{write_blocks, write_bytes, write_long};
use super::schema::{AvroKind, AvroRecord, AvroType};
use crate::model::value::ValueRef;
use crate::serialize::error::Fault;

/// The schema as Avro's Java library prints it.
pub(super) const TEXT: &str = r#"{"type":"record","name":"Anything","namespace":"io.confluent.connect.avro","fields":[{"name":"boolean","type":["null","boolean"],"default":null},{"name":"bytes","type":["null","bytes"],"default":null},{"name":"double","type":["null","double"],"default":null},{"name":"float","type":["null","float"],"default":null},{"name":"int","type":["null","int"],"default":null},{"name":"long","type":["null","long"],"default":null},{"name":"string","type":["null","string"],"default":null},{"name":"array","type":["null",{"type":"array","items":"Anything"}],"default":null},{"name":"map","type":["null",{"type":"array","items":{"type":"record","name":"MapEntry","fields":[{"name":"key","type":"Anything"},{"name":"value","type":"Anything"}]}}],"default":null}]}"#;

/// Its fields.
const FIELDS: usize = 9;

/// The record without its fields: what a subject's name may be made of.
pub(super) fn record() -> AvroType {
    let name = AvroName { name: "Anything".into(), namespace: Some("io.confluent.connect.avro".into()) };
    AvroType { kind: AvroKind::Record(AvroRecord { name, doc: None, fields: Vec::new() }), props: Vec::new() }
}

/// Appends a value.
pub(super) fn write(value: &ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), Box<Fault>> {
    let place = match value {
        ValueRef::Boolean(_) => 0,
        ValueRef::Bytes(_) => 1,
        ValueRef::Float64(_) => 2,
        ValueRef::Float32(_) => 3,
        ValueRef::Int8(_) | ValueRef::Int16(_) | ValueRef::Int32(_) => 4,
        ValueRef::Int64(_) => 5,
        ValueRef::String(_) => 6,
        ValueRef::Array(_) => 7,
        ValueRef::Map(_) => 8,
        // Every field is null.
        ValueRef::Null => FIELDS,
        ValueRef::Struct(_) => return Err(Fault::shape("a value without a schema", value)),
    };
    // Null is the first branch of every field's union.
    out.extend(std::iter::repeat_n(0, place));
    if place == FIELDS {
        return Ok(());
    }
    out.push(2);
    match value {
        ValueRef::Boolean(v) => out.push(u8::from(*v)),
        ValueRef::Bytes(v) => write_bytes(v, out),
        ValueRef::Float64(v) => out.extend_from_slice(&v.to_le_bytes()),
        ValueRef::Float32(v) => out.extend_from_slice(&v.to_le_bytes()),
        ValueRef::Int8(v) => write_long(i64::from(*v), out),
        ValueRef::Int16(v) => write_long(i64::from(*v), out),
        ValueRef::Int32(v) => write_long(i64::from(*v), out),
        ValueRef::Int64(v) => write_long(*v, out),
        ValueRef::String(v) => write_bytes(v.as_bytes(), out),
        ValueRef::Array(items) => write_blocks(items, out, write)?,
        ValueRef::Map(entries) => write_blocks(entries, out, |(key, value), out| {
            write(key, out)?;
            write(value, out)
        })?,
        ValueRef::Null | ValueRef::Struct(_) => {}
    }
    out.extend(std::iter::repeat_n(0, FIELDS - 1 - place));
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm)]
    use super::*;
    use apache_avro::types::Value as Avro;

    /// What Avro's own reader finds: the field that is not null, and its value.
    fn shown(record: Avro) -> String {
        let Avro::Record(fields) = record else { panic!("no record: {record:?}") };
        assert_eq!(fields.len(), FIELDS);
        let set = fields.into_iter().filter_map(|(name, value)| match value {
            Avro::Union(_, inner) if *inner != Avro::Null => Some((name, *inner)),
            _ => None,
        });
        let texts = set.map(|(name, value)| match value {
            Avro::Array(items) if name == "array" => {
                format!("array {:?}", items.into_iter().map(shown).collect::<Vec<_>>())
            }
            Avro::Array(entries) => {
                let entry = |entry| match entry {
                    Avro::Record(parts) => {
                        parts.into_iter().map(|(_, part)| shown(part)).collect::<Vec<_>>().join(" = ")
                    }
                    other => panic!("no entry: {other:?}"),
                };
                format!("map {:?}", entries.into_iter().map(entry).collect::<Vec<_>>())
            }
            value => format!("{value:?}"),
        });
        texts.collect::<Vec<_>>().join(" and ")
    }

    #[test]
    fn each_type_is_in_its_field() {
        let schema = apache_avro::Schema::parse_str(TEXT).unwrap();
        let reader = apache_avro::reader::datum::GenericDatumReader::builder(&schema).build().unwrap();
        let check = |value: ValueRef<'_>, expected: &str| {
            let mut out = Vec::new();
            write(&value, &mut out).unwrap();
            let mut rest = out.as_slice();
            let read = reader.read_value(&mut rest).unwrap();
            assert_eq!((shown(read).as_str(), rest.len()), (expected, 0));
        };
        check(ValueRef::Null, "");
        check(ValueRef::Boolean(true), "Boolean(true)");
        check(ValueRef::Bytes(&[1, 2]), "Bytes([1, 2])");
        check(ValueRef::Float64(1.5), "Double(1.5)");
        check(ValueRef::Float32(1.5), "Float(1.5)");
        check(ValueRef::Int8(-1), "Int(-1)");
        check(ValueRef::Int16(300), "Int(300)");
        check(ValueRef::Int32(i32::MAX), "Int(2147483647)");
        check(ValueRef::Int64(i64::MIN), "Long(-9223372036854775808)");
        check(ValueRef::String("[]"), "String(\"[]\")");
        check(ValueRef::Array(&[]), "array []");
        let items = [ValueRef::Int32(1), ValueRef::Null, ValueRef::String("a")];
        check(ValueRef::Array(&items), r#"array ["Int(1)", "", "String(\"a\")"]"#);
        let entries = [(ValueRef::String("k"), ValueRef::Int64(1))];
        check(ValueRef::Map(&entries), r#"map ["String(\"k\") = Long(1)"]"#);
    }
}
