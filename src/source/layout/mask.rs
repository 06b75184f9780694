//! Masks: columns whose text is cut, covered or hashed before it leaves the source.
//!
//! In: a column, its schema and codec. Out: the schema with the parameter that tells, and a codec around the
//! codec. Source: Debezium's `TruncateColumn` and `MaskStrings`. Lengths count UTF-16 units, as Java's do.

use std::sync::Arc;

use crate::model::modes::HashVersion;
use crate::model::row::Codec;
use crate::model::schema::Schema;
use crate::model::table::Column;
use crate::model::value::{Arena, Value, ValueError, ValueRef};
use crate::util::digest::Digest;

/// What is done to a column.
#[derive(Clone)]
pub enum Mask {
    /// Text and bytes are cut after so many characters or bytes.
    Truncate(u32),
    /// So many asterisks instead of the text, null included.
    Asterisks(u32),
    /// A salted hash instead of the text, in hexadecimal digits, no longer than the column.
    Hash {
        /// The digest.
        digest: Digest,
        /// Hashed before the value.
        salt: Arc<[u8]>,
        /// What of the value is hashed.
        version: HashVersion,
    },
}

impl std::fmt::Debug for Mask {
    /// Never says the salt.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Mask::Truncate(length) => write!(f, "Truncate({length})"),
            Mask::Asterisks(length) => write!(f, "Asterisks({length})"),
            Mask::Hash { digest, version, .. } => write!(f, "Hash({digest:?}, {version})"),
        }
    }
}

/// The `java.sql.Types` of text that is masked: CHAR, VARCHAR, LONGVARCHAR, CLOB, their national twins, DATALINK.
const TEXT_TYPES: &[i32] = &[1, 12, -1, 2005, -15, -9, -16, 2011, 70];

impl Mask {
    /// The column's schema and codec, masked. Asterisks and hashes are for text; the schema of other columns says
    /// `masked`, too, as Debezium's does, and their values stay.
    pub(super) fn apply(
        &self,
        column: &Column,
        schema: Arc<Schema>,
        codec: Arc<dyn Codec>,
    ) -> (Arc<Schema>, Arc<dyn Codec>) {
        let length = column.length.unwrap_or(-1);
        let with = |name: &str, value: &str| Arc::new(Schema::clone(&schema).parameter(name, value));
        let text = TEXT_TYPES.contains(&column.jdbc_type);
        match self {
            Mask::Truncate(most) => {
                if length >= 0 && i64::from(length) <= i64::from(*most) {
                    return (schema, codec);
                }
                let mut cut = Truncated { codec, length: *most as usize, null: None, absent: None };
                cut.null = cut.standing(cut.codec.null());
                cut.absent = cut.standing(cut.codec.absent());
                (with("truncateLength", &most.to_string()), Arc::new(cut))
            }
            Mask::Asterisks(_) | Mask::Hash { .. } if !text => (with("masked", "true"), codec),
            Mask::Asterisks(count) => {
                let text = "*".repeat(*count as usize).into();
                (with("masked", "true"), Arc::new(Covered { text }))
            }
            Mask::Hash { digest, salt, version } => {
                let length = usize::try_from(length).ok().filter(|length| *length > 0);
                let (digest, salt, version) = (*digest, salt.clone(), *version);
                let mut hashed = Hashed { codec, digest, salt, version, length, null: None, absent: None };
                hashed.null = hashed.standing(hashed.codec.null());
                hashed.absent = hashed.standing(hashed.codec.absent());
                (with("masked", "true"), Arc::new(hashed))
            }
        }
    }
}

/// What stands for a null or absent cell is masked like any value, once.
fn stands<'a>(standing: &'a Option<Value>, inner: ValueRef<'a>) -> ValueRef<'a> {
    match standing {
        Some(Value::String(text)) => ValueRef::String(text),
        Some(Value::Bytes(bytes)) => ValueRef::Bytes(bytes),
        _ => inner,
    }
}

#[derive(Debug)]
struct Truncated {
    codec: Arc<dyn Codec>,
    length: usize,
    null: Option<Value>,
    absent: Option<Value>,
}

/// The first so many UTF-16 units of a text; half a character at the end is a question mark, as Java encodes it.
fn cut<'a>(text: &'a str, length: usize, arena: &'a Arena) -> &'a str {
    if text.len() <= length {
        return text;
    }
    let mut units = 0;
    for (at, character) in text.char_indices() {
        let behind = units + character.len_utf16();
        if behind > length {
            let head = text.get(..at).unwrap_or_default();
            return if units < length { bumpalo::format!(in arena, "{head}?",).into_bump_str() } else { head };
        }
        units = behind;
    }
    text
}

impl Truncated {
    fn standing(&self, value: ValueRef<'_>) -> Option<Value> {
        let arena = Arena::new();
        if let ValueRef::String(text) = value {
            return Some(Value::text(cut(text, self.length, &arena)));
        }
        if let ValueRef::Bytes(bytes) = value {
            return Some(Value::Bytes(bytes.get(..self.length).unwrap_or(bytes).into()));
        }
        None
    }

    fn shorten<'a>(&self, value: ValueRef<'a>, arena: &'a Arena) -> ValueRef<'a> {
        if let ValueRef::String(text) = value {
            return ValueRef::String(cut(text, self.length, arena));
        }
        if let ValueRef::Bytes(bytes) = value {
            return ValueRef::Bytes(bytes.get(..self.length).unwrap_or(bytes));
        }
        value
    }
}

impl Codec for Truncated {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(self.shorten(self.codec.decode(cell, arena)?, arena))
    }

    fn null(&self) -> ValueRef<'_> {
        stands(&self.null, self.codec.null())
    }

    fn absent(&self) -> ValueRef<'_> {
        stands(&self.absent, self.codec.absent())
    }
}

#[derive(Debug)]
struct Covered {
    text: Box<str>,
}

impl Codec for Covered {
    fn decode<'a>(&'a self, _cell: &'a [u8], _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(ValueRef::String(&self.text))
    }

    fn null(&self) -> ValueRef<'_> {
        ValueRef::String(&self.text)
    }

    fn absent(&self) -> ValueRef<'_> {
        ValueRef::String(&self.text)
    }
}

struct Hashed {
    codec: Arc<dyn Codec>,
    digest: Digest,
    salt: Arc<[u8]>,
    version: HashVersion,
    length: Option<usize>,
    null: Option<Value>,
    absent: Option<Value>,
}

impl std::fmt::Debug for Hashed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hashed({:?}, {:?}, {})", self.codec, self.digest, self.version)
    }
}

impl Hashed {
    fn standing(&self, value: ValueRef<'_>) -> Option<Value> {
        let arena = Arena::new();
        match self.hash(value, &arena) {
            Ok(ValueRef::String(text)) => Some(Value::text(text)),
            Ok(_) | Err(_) => None,
        }
    }

    fn hash<'a>(&self, value: ValueRef<'a>, arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let text = match value {
            ValueRef::Null => return Ok(ValueRef::Null),
            ValueRef::String(text) => text,
            ValueRef::Boolean(_)
            | ValueRef::Int8(_)
            | ValueRef::Int16(_)
            | ValueRef::Int32(_)
            | ValueRef::Int64(_)
            | ValueRef::Float32(_)
            | ValueRef::Float64(_)
            | ValueRef::Bytes(_)
            | ValueRef::Array(_)
            | ValueRef::Map(_)
            | ValueRef::Struct(_) => return Err(ValueError::Shape),
        };
        let mut input = bumpalo::collections::Vec::with_capacity_in(self.salt.len() + text.len() + 16, arena);
        input.extend_from_slice(&self.salt);
        match self.version {
            HashVersion::V1 => serialize(text, &mut input),
            HashVersion::V2 => input.extend_from_slice(text.as_bytes()),
        }
        let refused = ValueError::Invalid { column_type: "a masked column", reason: "the digest is not available" };
        let digest = self.digest.of(&input).ok_or(refused)?;
        let mut digits = bumpalo::collections::String::with_capacity_in(digest.len() * 2, arena);
        for byte in digest.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
            digits.extend(char::from_digit(byte.into(), 16));
        }
        let digits = digits.into_bump_str();
        let length = self.length.unwrap_or(digits.len());
        Ok(ValueRef::String(digits.get(..length).unwrap_or(digits)))
    }
}

/// Java's serialization of a string: stream magic and version, the type's code, the length, the text in Java's
/// modified UTF-8. Source: Java Object Serialization Specification, section 6.4.
fn serialize(text: &str, out: &mut bumpalo::collections::Vec<'_, u8>) {
    const MAGIC_AND_VERSION: [u8; 4] = [0xac, 0xed, 0, 5];
    const TC_STRING: u8 = 0x74;
    const TC_LONGSTRING: u8 = 0x7c;
    out.extend_from_slice(&MAGIC_AND_VERSION);
    let length: usize = text.encode_utf16().map(modified_length).sum();
    match u16::try_from(length) {
        Ok(length) => {
            out.push(TC_STRING);
            out.extend_from_slice(&length.to_be_bytes());
        }
        Err(_) => {
            out.push(TC_LONGSTRING);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    for unit in text.encode_utf16() {
        let continued = |shift: u32| 0x80 | (unit >> shift & 0x3f) as u8;
        match modified_length(unit) {
            1 => out.push(unit as u8),
            2 => out.extend_from_slice(&[0xc0 | (unit >> 6) as u8, continued(0)]),
            _ => out.extend_from_slice(&[0xe0 | (unit >> 12) as u8, continued(6), continued(0)]),
        }
    }
}

/// Bytes of a UTF-16 unit in modified UTF-8, where U+0000 has two.
fn modified_length(unit: u16) -> usize {
    match unit {
        0x0001..=0x007f => 1,
        0x0000 | 0x0080..=0x07ff => 2,
        0x0800.. => 3,
    }
}

impl Codec for Hashed {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        self.hash(self.codec.decode(cell, arena)?, arena)
    }

    fn null(&self) -> ValueRef<'_> {
        stands(&self.null, self.codec.null())
    }

    fn absent(&self) -> ValueRef<'_> {
        stands(&self.absent, self.codec.absent())
    }
}
