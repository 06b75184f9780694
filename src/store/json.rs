//! JSON as Jackson writes it, so that our records equal Debezium's byte for byte.
//!
//! In: values. Out: compact text, in the order in which fields were added. The one difference between Jackson
//! and serde_json in what the stores write: control characters are escaped with capital hexadecimal digits.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};
use serde_json::{Map, Number, Value};

use crate::model::position::{OffsetField, OffsetMap};

struct Jackson;

impl Formatter for Jackson {
    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        if let CharEscape::AsciiControl(byte) = escape {
            return write!(writer, "\\u{byte:04X}");
        }
        CompactFormatter.write_char_escape(writer, escape)
    }
}

/// Jackson's `DefaultPrettyPrinter`: objects over several lines, arrays on one, a space on both sides of a colon.
#[derive(Default)]
struct Pretty {
    depth: usize,
    empty: bool,
}

impl Pretty {
    fn new_line<W: ?Sized + Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for Pretty {
    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        Jackson.write_char_escape(writer, escape)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        self.empty = true;
        writer.write_all(b"{")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.empty = false;
        if !first {
            writer.write_all(b",")?;
        }
        self.new_line(writer)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" : ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.empty = false;
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        if self.empty {
            writer.write_all(b" ")?;
        } else {
            self.new_line(writer)?;
        }
        writer.write_all(b"}")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b" " } else { b", " })
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" ]")
    }
}

/// A value as text over several lines, as Debezium's `Document.toString` gives it.
pub(super) fn write_pretty(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    // Cannot fail: see `write`.
    let _ = value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Pretty::default()));
    out
}

/// A value as text.
pub(super) fn write(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing a `Value` into memory cannot fail: its keys are texts and memory takes what it is given.
    let _ = value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Jackson));
    out
}

/// An offset as a JSON object.
pub(super) fn from_offset(offset: &OffsetMap) -> Value {
    let fields = offset.iter().map(|(name, field)| {
        let value = match field {
            OffsetField::Null => Value::Null,
            OffsetField::Boolean(value) => Value::Bool(*value),
            OffsetField::Integer(value) => Value::Number(Number::from(*value)),
            OffsetField::Text(value) => Value::String(value.clone()),
        };
        (name.clone(), value)
    });
    Value::Object(fields.collect::<Map<String, Value>>())
}

/// A JSON object as an offset; an error names the field. Connect allows primitives only; a fraction has no
/// place in a position and is not rounded.
pub(super) fn to_offset(value: Value) -> Result<OffsetMap, String> {
    let Value::Object(fields) = value else {
        return Err("it is no JSON object".to_owned());
    };
    let mut offset = OffsetMap::with_capacity(fields.len());
    for (name, value) in fields {
        let field = match value {
            Value::Null => OffsetField::Null,
            Value::Bool(value) => OffsetField::Boolean(value),
            Value::String(value) => OffsetField::Text(value),
            Value::Number(number) => match number.as_i64() {
                Some(value) => OffsetField::Integer(value),
                None => return Err(format!("field {name} is no whole number of 64 bits")),
            },
            Value::Array(_) | Value::Object(_) => {
                return Err(format!("field {name} is neither text, number, boolean nor null"));
            }
        };
        offset.push((name, field));
    }
    Ok(offset)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        match (to_offset(serde_json::from_str(text).unwrap()), expected) {
            (Ok(offset), Ok(written)) => assert_eq!(String::from_utf8(write(&from_offset(&offset))).unwrap(), written),
            (Err(problem), Err(part)) => assert!(problem.contains(part), "{problem}"),
            (got, _) => panic!("{text} gave {got:?}"),
        }
    }

    #[test]
    fn documents_over_several_lines_are_those_of_jackson() {
        let value: Value = serde_json::from_str(r#"{"a":{},"b":[],"c":[1,"x",{"d":null}],"e":{"f":true}}"#).unwrap();
        let text = String::from_utf8(write_pretty(&value)).unwrap();
        let expected = "{\n  \"a\" : { },\n  \"b\" : [ ],\n  \"c\" : [ 1, \"x\", {\n    \"d\" : null\n  } ],\n  \"e\" : {\n    \"f\" : true\n  }\n}";
        assert_eq!(text, expected);
    }

    #[test]
    fn offsets_go_through_json_unchanged() {
        let whole =
            r#"{"ts_sec":1700000000,"file":"mysql-bin.000003","pos":-4,"gtids":"a:1-9\né","snapshot":true,"x":null}"#;
        check(whole, Ok(whole));
        check("{ \"b\" : 1 , \"a\":\"\\u001f\\u007f/\" }", Ok("{\"b\":1,\"a\":\"\\u001F\u{7f}/\"}"));
        check("[1]", Err("no JSON object"));
        check(r#"{"pos":1.5}"#, Err("pos"));
        check(r#"{"pos":9223372036854775808}"#, Err("pos"));
        check(r#"{"pos":{}}"#, Err("pos"));
    }
}
