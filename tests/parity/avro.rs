//! Confluent's wire format read without any Avro library: a zero, the schema's id, the value. The schema's text and the
//! value's fields are what is compared; the id is the registry's own.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::json::Node;

/// Reads a value with its schema.
///
/// # Errors
/// What does not fit, in words.
pub fn decode(schema: &Value, bytes: &[u8]) -> Result<Node, String> {
    let mut names = HashMap::new();
    collect_names(schema, "", &mut names);
    let mut reader = Reader { bytes, names: &names };
    let node = reader.value(schema, "")?;
    if reader.bytes.is_empty() { Ok(node) } else { Err(format!("{} bytes too many", reader.bytes.len())) }
}

fn full_name(name: &str, space: &str) -> String {
    if name.contains('.') || space.is_empty() { name.to_owned() } else { format!("{space}.{name}") }
}

fn space_of(schema: &Value, space: &str) -> String {
    let name = schema["name"].as_str().unwrap_or_default();
    match (name.rsplit_once('.'), schema["namespace"].as_str()) {
        (Some((space, _)), _) => space.to_owned(),
        (None, Some(space)) => space.to_owned(),
        (None, None) => space.to_owned(),
    }
}

fn collect_names<'a>(schema: &'a Value, space: &str, names: &mut HashMap<String, &'a Value>) {
    match schema {
        Value::Array(branches) => branches.iter().for_each(|branch| collect_names(branch, space, names)),
        Value::Object(_) => {
            let inner = space_of(schema, space);
            if let Some(name) = schema["name"].as_str() {
                names.insert(full_name(name, &inner), schema);
            }
            for field in schema["fields"].as_array().into_iter().flatten() {
                collect_names(&field["type"], &inner, names);
            }
            for part in ["items", "values", "type"] {
                if schema[part].is_object() || schema[part].is_array() {
                    collect_names(&schema[part], &inner, names);
                }
            }
        }
        _ => {}
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    names: &'a HashMap<String, &'a Value>,
}

impl Reader<'_> {
    fn take(&mut self, length: usize) -> Result<&[u8], String> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or("the value is too short")?;
        self.bytes = rest;
        Ok(taken)
    }

    fn long(&mut self) -> Result<i64, String> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err("a number without end".to_owned())
    }

    fn block(&mut self) -> Result<&[u8], String> {
        let length = usize::try_from(self.long()?).map_err(|_| "a negative length")?;
        self.take(length)
    }

    fn value(&mut self, schema: &Value, space: &str) -> Result<Node, String> {
        match schema {
            Value::String(name) => self.named(name, schema, space),
            Value::Array(branches) => {
                let branch = self.long()?;
                let chosen = usize::try_from(branch).ok().and_then(|branch| branches.get(branch));
                self.value(chosen.ok_or(format!("no branch {branch}"))?, space)
            }
            Value::Object(_) => match &schema["type"] {
                Value::String(name) => self.named(&name.clone(), schema, space),
                inner => self.value(inner, space),
            },
            other => Err(format!("no schema: {other}")),
        }
    }

    fn named(&mut self, name: &str, schema: &Value, space: &str) -> Result<Node, String> {
        let scalar = |text: String| Ok(Node::Scalar(text));
        match name {
            "null" => Ok(Node::null()),
            "boolean" => scalar((self.take(1)?[0] != 0).to_string()),
            "int" | "long" => scalar(self.long()?.to_string()),
            "float" => scalar(format!("{:?}", f32::from_le_bytes(self.take(4)?.try_into().unwrap()))),
            "double" => scalar(format!("{:?}", f64::from_le_bytes(self.take(8)?.try_into().unwrap()))),
            "string" => Ok(Node::string(&String::from_utf8_lossy(self.block()?))),
            "bytes" => Ok(hex(self.block()?)),
            "fixed" => Ok(hex(self.take(schema["size"].as_u64().unwrap_or(0) as usize)?)),
            "enum" => {
                let index = self.long()?;
                scalar(schema["symbols"][index as usize].to_string())
            }
            "record" => self.record(schema, space),
            "array" => self.blocks(|reader| reader.value(&schema["items"], space)).map(Node::List),
            "map" => {
                let entry = |reader: &mut Self| {
                    let name = String::from_utf8_lossy(reader.block()?).into_owned();
                    Ok((name, reader.value(&schema["values"], space)?))
                };
                self.blocks(entry).map(Node::Object)
            }
            reference => {
                let full = full_name(reference, space);
                let found = self.names.get(&full).or_else(|| self.names.get(reference));
                self.value(found.ok_or(format!("no type {full}"))?, space)
            }
        }
    }

    fn record(&mut self, schema: &Value, space: &str) -> Result<Node, String> {
        let inner = space_of(schema, space);
        let mut members = Vec::new();
        for field in schema["fields"].as_array().into_iter().flatten() {
            let name = field["name"].as_str().unwrap_or_default().to_owned();
            let value = self.value(&field["type"], &inner).map_err(|error| format!("{name}: {error}"))?;
            members.push((name, value));
        }
        Ok(Node::Object(members))
    }

    fn blocks<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        let mut items = Vec::new();
        loop {
            let mut count = self.long()?;
            if count == 0 {
                return Ok(items);
            }
            if count < 0 {
                count = -count;
                self.long()?;
            }
            for _ in 0..count {
                items.push(item(self)?);
            }
        }
    }
}

/// Bytes as a string of hexadecimal digits.
pub fn hex(bytes: &[u8]) -> Node {
    let mut text = "0x".to_owned();
    bytes.iter().for_each(|byte| write!(text, "{byte:02x}").unwrap());
    Node::string(&text)
}

/// The bytes that [`hex`] has printed, without the prefix.
pub fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(pair).collect()
}
