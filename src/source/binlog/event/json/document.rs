//! The layout of a binary JSON document: types, tables of entries, and where values lie.
//!
//! A document is a type byte and a value. Objects and arrays begin with the number of their members and their
//! size in bytes, then (objects) for each key its offset and length, then for each member a type byte and an
//! offset or, if small enough, the value itself; offsets count from the beginning of the object or array.
//! "Small" ones use two bytes for these numbers, "large" ones four. Source: MySQL `sql-common/json_binary.h`.
//!
//! A hostile document can point everywhere, also at itself. Each value that is looked at pays with its bytes
//! from a [`Budget`] of as many bytes as the document has; an honest document never runs out.

use super::super::error::EventError;

/// Levels of objects and arrays (`JSON_DOCUMENT_MAX_DEPTH`).
pub const DEPTH_LIMIT: usize = 100;

/// `JSONB_TYPE_*`.
pub mod kind {
    #![allow(missing_docs)]
    pub const SMALL_OBJECT: u8 = 0x00;
    pub const LARGE_OBJECT: u8 = 0x01;
    pub const SMALL_ARRAY: u8 = 0x02;
    pub const LARGE_ARRAY: u8 = 0x03;
    pub const LITERAL: u8 = 0x04;
    pub const INT16: u8 = 0x05;
    pub const UINT16: u8 = 0x06;
    pub const INT32: u8 = 0x07;
    pub const UINT32: u8 = 0x08;
    pub const INT64: u8 = 0x09;
    pub const UINT64: u8 = 0x0a;
    pub const DOUBLE: u8 = 0x0b;
    pub const STRING: u8 = 0x0c;
    pub const OPAQUE: u8 = 0x0f;
}

/// Bytes that may still be looked at.
#[derive(Clone, Copy, Debug)]
pub struct Budget(usize);

impl Budget {
    /// As many as the document has.
    pub fn new(bytes: usize) -> Self {
        Budget(bytes)
    }

    /// Pays for bytes that lie at `at`.
    pub fn pay(&mut self, bytes: usize, at: usize) -> Result<(), EventError> {
        match self.0.checked_sub(bytes) {
            Some(rest) => {
                self.0 = rest;
                Ok(())
            }
            None => Err(EventError::Json { at, reason: "its values overlap" }),
        }
    }
}

/// A value inside a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// One of [`kind`].
    pub kind: u8,
    /// From the value's first byte to the end of what it lies in.
    pub bytes: &'a [u8],
    /// Offset of the first byte in the document, for errors.
    pub at: usize,
}

impl<'a> Value<'a> {
    /// The document's value. A document without bytes is null: MySQL writes that for a null forced into a
    /// column that cannot be null.
    pub fn of_document(document: &'a [u8]) -> Self {
        match document.split_first() {
            Some((kind, bytes)) => Value { kind: *kind, bytes, at: 1 },
            None => Value { kind: kind::LITERAL, bytes: &[0], at: 0 },
        }
    }

    /// An error at this value.
    pub fn error(&self, reason: &'static str) -> EventError {
        EventError::Json { at: self.at, reason }
    }

    /// The first `N` bytes.
    pub fn array<const N: usize>(&self) -> Result<[u8; N], EventError> {
        self.bytes.first_chunk().copied().ok_or_else(|| self.error("a value ends early"))
    }

    /// Whether it is an object or an array, and of which size.
    pub fn container(&self) -> Option<(bool, Width)> {
        match self.kind {
            kind::SMALL_OBJECT => Some((true, Width::Small)),
            kind::LARGE_OBJECT => Some((true, Width::Large)),
            kind::SMALL_ARRAY => Some((false, Width::Small)),
            kind::LARGE_ARRAY => Some((false, Width::Large)),
            _ => None,
        }
    }

    /// A length of one to five bytes, seven bits each, least significant first, and the bytes behind it.
    pub fn sized(&self, from: usize) -> Result<&'a [u8], EventError> {
        let bytes = self.bytes.get(from..).unwrap_or_default();
        let mut length = 0_u64;
        for (index, byte) in bytes.iter().take(5).enumerate() {
            length |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                let start = index + 1;
                let end = usize::try_from(length).ok().and_then(|length| start.checked_add(length));
                let text = end.and_then(|end| bytes.get(start..end));
                return text.ok_or_else(|| self.error("a text or opaque value ends early"));
            }
        }
        Err(self.error("a length without end"))
    }
}

/// Bytes of counts and offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Two.
    Small,
    /// Four.
    Large,
}

impl Width {
    fn bytes(self) -> usize {
        match self {
            Width::Small => 2,
            Width::Large => 4,
        }
    }

    fn read(self, bytes: &[u8], at: usize) -> Option<usize> {
        let bytes = bytes.get(at..)?;
        Some(match self {
            Width::Small => usize::from(u16::from_le_bytes(*bytes.first_chunk()?)),
            Width::Large => u32::from_le_bytes(*bytes.first_chunk()?) as usize,
        })
    }

    /// Whether a value of this kind stands in its entry instead of an offset.
    fn holds(self, value_kind: u8) -> bool {
        match value_kind {
            kind::LITERAL | kind::INT16 | kind::UINT16 => true,
            kind::INT32 | kind::UINT32 => self == Width::Large,
            _ => false,
        }
    }
}

/// The members of an object or array.
#[derive(Clone, Copy, Debug)]
pub struct Members<'a> {
    /// Exactly the bytes of the container.
    bytes: &'a [u8],
    at: usize,
    width: Width,
    /// Number of members.
    pub count: usize,
    /// Whether they have keys.
    pub is_object: bool,
}

impl<'a> Members<'a> {
    /// Reads the head of a container and pays for its entries; `None` when the value is a scalar.
    pub fn of(value: &Value<'a>, budget: &mut Budget) -> Result<Option<Self>, EventError> {
        let Some((is_object, width)) = value.container() else {
            return Ok(None);
        };
        let count = width.read(value.bytes, 0);
        let size = width.read(value.bytes, width.bytes());
        let (Some(count), Some(size)) = (count, size) else {
            return Err(value.error("an object or array ends early"));
        };
        let Some(bytes) = value.bytes.get(..size) else {
            return Err(value.error("an object or array is larger than what it lies in"));
        };
        let members = Members { bytes, at: value.at, width, count, is_object };
        let head = members.values_start().saturating_add(count.saturating_mul(members.entry_length()));
        if head > size {
            return Err(value.error("an object or array has more members than bytes"));
        }
        budget.pay(head, value.at)?;
        Ok(Some(members))
    }

    fn entry_length(&self) -> usize {
        1 + self.width.bytes()
    }

    fn keys_start(&self) -> usize {
        2 * self.width.bytes()
    }

    fn values_start(&self) -> usize {
        let key_entry = if self.is_object { self.width.bytes() + 2 } else { 0 };
        self.keys_start() + self.count * key_entry
    }

    /// The key of a member of an object, which is paid for.
    pub fn key(&self, index: usize, budget: &mut Budget) -> Result<&'a str, EventError> {
        let entry = self.keys_start() + index * (self.width.bytes() + 2);
        let wrong = |reason| EventError::Json { at: self.at + entry, reason };
        let offset = self.width.read(self.bytes, entry);
        let length = Width::Small.read(self.bytes, entry + self.width.bytes());
        let (Some(offset), Some(length)) = (offset, length) else {
            return Err(wrong("a key ends early"));
        };
        budget.pay(length, self.at + entry)?;
        let key = self.bytes.get(offset..offset + length).ok_or_else(|| wrong("a key outside its object"))?;
        std::str::from_utf8(key).map_err(|_| wrong("a key that is not UTF-8"))
    }

    /// The value of a member.
    pub fn value(&self, index: usize) -> Result<Value<'a>, EventError> {
        let entry = self.values_start() + index * self.entry_length();
        let wrong = |reason| EventError::Json { at: self.at + entry, reason };
        let Some(&value_kind) = self.bytes.get(entry) else {
            return Err(wrong("a member ends early"));
        };
        let inlined = self.width.holds(value_kind);
        let (from, to) = if inlined {
            (entry + 1, entry + self.entry_length())
        } else {
            let offset = self.width.read(self.bytes, entry + 1).ok_or_else(|| wrong("a member ends early"))?;
            (offset, self.bytes.len())
        };
        let bytes = self.bytes.get(from..to).ok_or_else(|| wrong("a member outside its object or array"))?;
        Ok(Value { kind: value_kind, bytes, at: self.at + from })
    }
}
