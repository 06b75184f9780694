//! Connector files in JSON.
//!
//! In: text. Out: the pairs at the top, and those of a nested `config`, every value as text: strings
//! unescaped, numbers and booleans as written, `null` left out. Promised: a key that stands twice, a list or
//! a nested object where text belongs, and every slip of syntax is an error with line and column.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A file as it stands.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Names and values at the top, without `config`.
    pub pairs: Vec<(String, String)>,
    /// Names and values of `config`, where it is an object.
    pub config: Option<Vec<(String, String)>>,
}

/// A place that cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong there.
    pub reason: String,
    /// The key, when it is that it stands there twice.
    pub twice: Option<String>,
}

/// Reads a whole file.
pub(super) fn parse(text: &str) -> Result<Document, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut document = Document::default();
    for (key, raw) in object(text, text)? {
        if key == "config" && raw.get().starts_with('{') {
            let mut config = Vec::new();
            for (key, raw) in object(text, raw.get())? {
                config.extend(scalar(text, &key, raw)?.map(|value| (key, value)));
            }
            document.config = Some(config);
        } else {
            document.pairs.extend(scalar(text, &key, raw)?.map(|value| (key, value)));
        }
    }
    Ok(document)
}

/// The members of the object that `part`, a slice of `text`, holds.
fn object<'a>(text: &'a str, part: &'a str) -> Result<Vec<(String, &'a RawValue)>, Fault> {
    let members: Members<'a> = serde_json::from_str(part).map_err(|error| {
        let offset = offset_of(part, error.line(), error.column());
        let message = error.to_string();
        let reason = message.split(" at line ").next().unwrap_or(&message).to_owned();
        fault(text, part, offset, reason)
    })?;
    let mut seen = std::collections::BTreeSet::new();
    for (key, raw) in &members.0 {
        if !seen.insert(key.as_str()) {
            let offset = raw.get().as_ptr() as usize - part.as_ptr() as usize;
            let twice = Some(key.clone());
            return Err(Fault { twice, ..fault(text, part, offset, "a key that stands there twice".to_owned()) });
        }
    }
    Ok(members.0)
}

/// The text of one value, or nothing for `null`.
fn scalar(text: &str, key: &str, raw: &RawValue) -> Result<Option<String>, Fault> {
    let written = raw.get();
    match written.chars().next() {
        Some('"') => match serde_json::from_str(written) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(fault(text, written, 0, error.to_string())),
        },
        Some('n') => Ok(None),
        Some('{' | '[') => {
            let reason = format!("'{key}' must be text, a number or a boolean, and not a list or an object");
            Err(fault(text, written, 0, reason))
        }
        _ => Ok(Some(written.to_owned())),
    }
}

/// A fault at a byte offset of a part of the text.
fn fault(text: &str, part: &str, offset: usize, reason: String) -> Fault {
    // Parts are slices of the text; the distance of their starts is where they lie.
    let offset = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).saturating_add(offset);
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    Fault { line, column, reason, twice: None }
}

/// The byte offset of a line and column as serde_json counts them (columns in bytes, from 1).
fn offset_of(part: &str, line: usize, column: usize) -> usize {
    let start: usize = part.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut offset = (start + column.saturating_sub(1)).min(part.len());
    while !part.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// An object's members in the order written, doubled keys included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of names and values")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    if members.len() >= super::source_file::MOST_PROPERTIES {
                        return Err(A::Error::custom("too many properties"));
                    }
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
