//! Arrays of any element type.
//!
//! In: `{1,NULL,"a b"}`, with bounds in front where they are not usual (`[0:2]={1,2,3}`), and `1 2 3` of the catalog's two
//! vectors. Out: a list of the elements. Debezium's schema is a list of one dimension, and so an element that is a list
//! itself is null there, or a Java object's address in the place of a text; here it is null, or the text of that list.

use std::sync::Arc;

use super::{Context, default_value, oid};
use crate::model::row::Codec;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};
use crate::source::codec::plan::{Decode, Fallback, Plan};
use crate::util::digest::Digest;

/// The elements that are null, where Debezium's schema has them so: those of the arrays that it lists.
const NULLABLE: &[u32] = &[
    oid::INT2,
    oid::INT4,
    oid::INT8,
    oid::OID,
    oid::CHAR,
    oid::VARCHAR,
    oid::TEXT,
    oid::BPCHAR,
    oid::INET,
    oid::CIDR,
    oid::MACADDR,
    oid::MACADDR8,
    oid::TSRANGE,
    oid::TSTZRANGE,
    oid::DATERANGE,
    oid::INT4RANGE,
    oid::NUMRANGE,
    oid::INT8RANGE,
    oid::NUMERIC,
    oid::FLOAT4,
    oid::FLOAT8,
    oid::BOOL,
    oid::DATE,
    oid::UUID,
    oid::JSONB,
    oid::JSON,
    oid::TIME,
    oid::TIMETZ,
    oid::TIMESTAMP,
    oid::TIMESTAMPTZ,
    oid::BYTEA,
];

/// The same for the arrays of extensions' types, by name.
const NULLABLE_NAMES: &[&str] = &["geometry", "geography", "citext", "hstore", "ltree"];

/// Arrays that Debezium leaves out of the event.
const LEFT_OUT: &[u32] = &[
    oid::MONEY_ARRAY,
    oid::NAME_ARRAY,
    oid::INTERVAL_ARRAY,
    oid::VARBIT_ARRAY,
    oid::XML_ARRAY,
    oid::POINT_ARRAY,
    oid::REFCURSOR_ARRAY,
];

fn invalid(reason: &'static str) -> ValueError {
    ValueError::Invalid { column_type: "array", reason }
}

/// One element as it stands in the text.
enum Element<'a> {
    Null,
    Text(&'a [u8]),
    /// In double quotes, with backslashes before what they would end.
    Escaped(&'a [u8]),
    /// A list.
    List(&'a [u8]),
}

/// Up to the quote that ends a quoted element: how long it is, and whether it has backslashes.
fn quoted(text: &[u8]) -> Option<(usize, bool)> {
    let (mut at, mut escaped) = (0, false);
    loop {
        match text.get(at)? {
            b'"' => return Some((at, escaped)),
            b'\\' => {
                escaped = true;
                at += 2;
            }
            _ => at += 1,
        }
    }
}

/// How long the list at the front is, with its braces.
fn list(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match text.get(at)? {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b'"' => at += quoted(text.get(at + 1..)?)?.0 + 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The element at the front, and what is behind it.
fn element(text: &[u8], delimiter: u8) -> Option<(Element<'_>, &[u8])> {
    match text {
        [b'"', inner @ ..] => {
            let (length, escaped) = quoted(inner)?;
            let found = inner.get(..length)?;
            let found = if escaped { Element::Escaped(found) } else { Element::Text(found) };
            Some((found, inner.get(length + 1..)?))
        }
        [b'{', ..] => {
            let (found, behind) = text.split_at_checked(list(text)?)?;
            Some((Element::List(found), behind))
        }
        text => {
            let length = text.iter().position(|byte| *byte == delimiter || *byte == b'}')?;
            let (found, behind) = text.split_at_checked(length)?;
            let found = if found.eq_ignore_ascii_case(b"NULL") { Element::Null } else { Element::Text(found) };
            (length > 0).then_some((found, behind))
        }
    }
}

/// The elements of an array's text, one after the other.
struct Elements<'a> {
    rest: &'a [u8],
    delimiter: u8,
}

impl<'a> Elements<'a> {
    fn new(cell: &'a [u8], delimiter: u8) -> Result<Elements<'a>, ValueError> {
        let braces = match cell {
            [b'[', ..] => {
                let equals = cell.iter().position(|byte| *byte == b'=').ok_or(invalid("bounds without a list"))?;
                cell.get(equals + 1..).unwrap_or_default()
            }
            cell => cell,
        };
        match braces {
            [b'{', rest @ .., b'}'] => Ok(Elements {
                rest: if rest.is_empty() { &[] } else { braces.get(1..).unwrap_or_default() },
                delimiter,
            }),
            _ => Err(invalid("not a list in braces")),
        }
    }

    fn next(&mut self) -> Result<Option<Element<'a>>, ValueError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (found, behind) = element(self.rest, self.delimiter).ok_or(invalid("a list that does not end"))?;
        self.rest = match behind {
            [b'}'] => &[],
            [first, more @ ..] if *first == self.delimiter && !more.is_empty() => more,
            _ => return Err(invalid("elements that are not apart")),
        };
        Ok(Some(found))
    }
}

/// Takes the backslashes off.
fn unescaped<'a>(text: &[u8], arena: &'a Arena) -> &'a [u8] {
    let mut out = bumpalo::collections::Vec::with_capacity_in(text.len(), arena);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        out.push(if *byte == b'\\' { *bytes.next().unwrap_or(byte) } else { *byte });
    }
    out.into_bump_slice()
}

/// The labels of an enumeration out of the text of a list.
pub(super) fn labels(text: &str) -> Option<Vec<String>> {
    let arena = Arena::new();
    let mut elements = Elements::new(text.as_bytes(), b',').ok()?;
    let mut out = Vec::new();
    while let Some(found) = elements.next().ok()? {
        let label = match found {
            // A label may be the word itself, which the server then puts in quotes.
            Element::Null | Element::List(_) => return None,
            Element::Text(text) => text,
            Element::Escaped(text) => unescaped(text, &arena),
        };
        out.push(std::str::from_utf8(label).ok()?.to_owned());
    }
    Some(out)
}

/// Reads the elements with the codec of their type.
#[derive(Clone, Debug)]
struct Array {
    element: Arc<dyn Codec>,
    delimiter: u8,
    text: bool,
    nullable: bool,
}

impl Array {
    fn null<'a>(&self) -> Result<ValueRef<'a>, ValueError> {
        if self.nullable {
            Ok(ValueRef::Null)
        } else {
            Err(invalid("an element that is null, for which Debezium's schema has no room"))
        }
    }
}

impl Decode for Array {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let mut elements = Elements::new(cell, self.delimiter)?;
        let mut out = bumpalo::collections::Vec::new_in(arena);
        while let Some(found) = elements.next()? {
            out.push(match found {
                Element::Null => self.null()?,
                Element::Text(text) => self.element.decode(text, arena)?,
                Element::Escaped(text) => self.element.decode(unescaped(text, arena), arena)?,
                Element::List(list) if self.text => {
                    ValueRef::String(simdutf8::basic::from_utf8(list).map_err(|_| invalid("not UTF-8"))?)
                }
                Element::List(_) => self.null()?,
            });
        }
        Ok(ValueRef::Array(out.into_bump_slice()))
    }
}

/// INT2VECTOR and OIDVECTOR: numbers with blanks between them.
#[derive(Clone, Debug)]
struct Spaced {
    element: Arc<dyn Codec>,
}

impl Decode for Spaced {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let mut out = bumpalo::collections::Vec::new_in(arena);
        for number in cell.split(|byte| *byte == b' ').filter(|number| !number.is_empty()) {
            out.push(self.element.decode(number, arena)?);
        }
        Ok(ValueRef::Array(out.into_bump_slice()))
    }
}

/// An array of bits, of which Debezium makes the schema of one bit string, and no value.
#[derive(Clone, Debug)]
struct Nothing;

impl Decode for Nothing {
    fn decode<'a>(&'a self, _cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Err(invalid("an array of bits, for which Debezium's schema has no room"))
    }
}

/// What Debezium shows for an unchanged value of an array: the placeholder as an element, as bytes, or byte by byte.
fn placeholder(type_name: &str, items: &Schema, text: &str) -> Option<Value> {
    let bytes = text.as_bytes();
    let values = match (type_name, &items.kind) {
        ("_text" | "_varchar" | "_bpchar" | "_json" | "_jsonb", _) => vec![Value::text(text)],
        ("_bytea", Kind::Bytes) => vec![Value::Bytes(bytes.into())],
        ("_int4", _) => bytes.iter().map(|byte| Value::Int32(i32::from(byte.cast_signed()))).collect(),
        ("_date", Kind::Int32) if items.name.as_deref() == Some("io.debezium.time.Date") => {
            bytes.iter().map(|byte| Value::Int32(i32::from(byte.cast_signed()))).collect()
        }
        ("_int8", _) => bytes.iter().map(|byte| Value::Int64(i64::from(byte.cast_signed()))).collect(),
        ("_uuid", _) => vec![Value::text(&uuid_of(bytes)?)],
        _ => return None,
    };
    Some(Value::Array(values))
}

/// Java's `UUID.nameUUIDFromBytes`: version 3 of the digest alone.
fn uuid_of(bytes: &[u8]) -> Option<String> {
    let digest = Digest::named("MD5")?.of(bytes)?;
    let digest = digest.as_ref().first_chunk::<16>()?;
    Some(uuid::Builder::from_md5_bytes(*digest).into_uuid().hyphenated().to_string())
}

/// An array; `None` for those that Debezium leaves out.
pub(super) fn array(context: &Context<'_>, element: u32) -> Option<Plan> {
    if LEFT_OUT.contains(&context.root.oid) {
        return None;
    }
    if context.root.oid == oid::BIT_ARRAY {
        let schema = super::binary::bits_schema(context.length);
        return Some(Plan::new(schema, Fallback::Null, Nothing, default_value::none));
    }
    let element = context.types.get(element)?;
    let of_elements = Context { root: element, element: true, ..*context };
    let plan = super::family(&of_elements)?;
    let spaced = matches!(context.root.oid, oid::INT2VECTOR | oid::OIDVECTOR);
    let listed = NULLABLE.contains(&element.oid) || NULLABLE_NAMES.contains(&element.name.as_str());
    let nullable = listed && !spaced;
    let mut items = plan.schema.clone();
    items.optional = nullable;
    let text = items.kind == Kind::String;
    let schema = Schema::new(Kind::Array(items.clone().into()));
    let (element, _) = plan.finish(Fallback::Null, Fallback::Null);
    let plan = if spaced {
        Plan::new(schema, Fallback::EmptyArray, Spaced { element }, default_value::none)
    } else {
        let array = Array { element, delimiter: context.root.delimiter, text, nullable };
        Plan::new(schema, Fallback::EmptyArray, array, default_value::none)
    };
    let type_name = context.type_name.to_owned();
    Some(match placeholder(&type_name, &items, "") {
        Some(_) => plan.with_placeholder(move |text| placeholder(&type_name, &items, text).unwrap_or(Value::Null)),
        None => plan,
    })
}
