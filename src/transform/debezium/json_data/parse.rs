//! JSON text into nodes, as Jackson's `ObjectMapper.readTree` reads it.
//!
//! In: text. Out: nodes in the arena; text without escapes is borrowed from the input. Promised: what Jackson refuses
//! is refused (control characters in text, leading zeros, comments), what it takes is taken: whatever follows the
//! first value is not looked at, the last of several equal names counts and stands where the first stood. Nesting
//! and the number of nodes are bounded, so that no text can exhaust stack or memory.
//!
//! Not serde_json: it gives a whole number beyond 64 bits and `-0` as floating point, refuses `1e400`, and takes no text in
//! which more follows the value. Each of these would be another schema, or none, than Debezium's.

use std::collections::HashMap;

use crate::model::value::Arena;

/// Levels of nesting. Jackson stops at 1000; what walks a schema here and in the converters calls itself once a level,
/// on threads with 2 MiB of stack.
pub const DEPTH_MAXIMUM: usize = 100;

/// Nodes of one text. Every field of an object becomes a field of a schema.
pub const NODES_MAXIMUM: usize = 200_000;

/// Up to this many names of an object are compared one by one.
const FEW_NAMES: usize = 16;

/// One JSON value.
#[derive(Clone, Copy, Debug)]
pub enum Node<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A whole number of 32 bits.
    Int(i32),
    /// A whole number of 64 bits.
    Long(i64),
    /// A whole number that 64 bits do not hold.
    Big,
    /// A number with fraction or exponent.
    Double(f64),
    /// Text.
    Text(&'a str),
    /// A list.
    Array(&'a [Node<'a>]),
    /// Named values.
    Object(Object<'a>),
}

/// A JSON object.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    /// Names and values in their order; no name twice.
    pub entries: &'a [(&'a str, Node<'a>)],
    /// The places of the entries in the order of their names, where there are many.
    sorted: &'a [u32],
}

impl<'a> Object<'a> {
    fn new(entries: &'a [(&'a str, Node<'a>)], arena: &'a Arena) -> Self {
        let mut object = Object { entries, sorted: &[] };
        if let (true, Ok(count)) = (entries.len() > FEW_NAMES, u32::try_from(entries.len())) {
            let sorted = arena.alloc_slice_fill_iter(0..count);
            sorted.sort_unstable_by_key(|place| object.name(*place));
            object.sorted = sorted;
        }
        object
    }

    fn name(&self, place: u32) -> &'a str {
        self.entries.get(place as usize).map_or("", |(name, _)| name)
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&'a Node<'a>> {
        if self.sorted.is_empty() {
            return self.entries.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        }
        let found = self.sorted.binary_search_by_key(&name, |place| self.name(*place)).ok()?;
        let place = *self.sorted.get(found)?;
        self.entries.get(place as usize).map(|(_, value)| value)
    }
}

/// Why a text is not read; never with its content.
pub type Refusal = &'static str;

/// The first JSON value of a text.
///
/// # Errors
/// When it is not JSON, or beyond a bound.
pub fn parse<'a>(text: &'a str, arena: &'a Arena) -> Result<Node<'a>, Refusal> {
    Parser { text, at: 0, nodes: 0, arena }.value(0)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    nodes: usize,
    arena: &'a Arena,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes a byte, where it is the next after space.
    fn take(&mut self, byte: u8) -> bool {
        self.space();
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn value(&mut self, depth: usize) -> Result<Node<'a>, Refusal> {
        self.nodes += 1;
        if self.nodes > NODES_MAXIMUM {
            return Err("it has too many values");
        }
        self.space();
        match self.peek() {
            Some(b'{' | b'[') if depth >= DEPTH_MAXIMUM => Err("it is nested too deeply"),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Node::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Node::Boolean(true)),
            Some(b'f') => self.word("false", Node::Boolean(false)),
            Some(b'n') => self.word("null", Node::Null),
            Some(_) => Err("a value begins with a character that none begins with"),
            None => Err("it ends before its value does"),
        }
    }

    fn word(&mut self, word: &'static str, node: Node<'a>) -> Result<Node<'a>, Refusal> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let after = rest.strip_prefix(word).ok_or("an unknown word")?;
        if after.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            return Err("an unknown word");
        }
        self.at += word.len();
        Ok(node)
    }

    fn array(&mut self, depth: usize) -> Result<Node<'a>, Refusal> {
        self.at += 1;
        let mut items = bumpalo::collections::Vec::new_in(self.arena);
        if self.take(b']') {
            return Ok(Node::Array(&[]));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take(b']') {
                return Ok(Node::Array(items.into_bump_slice()));
            }
            if !self.take(b',') {
                return Err("a list goes on without a comma");
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Node<'a>, Refusal> {
        self.at += 1;
        let mut entries: bumpalo::collections::Vec<'a, (&'a str, Node<'a>)> =
            bumpalo::collections::Vec::new_in(self.arena);
        let mut places: HashMap<&'a str, usize> = HashMap::new();
        if !self.take(b'}') {
            loop {
                self.space();
                if self.peek() != Some(b'"') {
                    return Err("a name does not begin with a quote");
                }
                let name = self.string()?;
                if !self.take(b':') {
                    return Err("a name is not followed by a colon");
                }
                let value = self.value(depth + 1)?;
                put(&mut entries, &mut places, name, value);
                if self.take(b'}') {
                    break;
                }
                if !self.take(b',') {
                    return Err("an object goes on without a comma");
                }
            }
        }
        Ok(Node::Object(Object::new(entries.into_bump_slice(), self.arena)))
    }

    fn string(&mut self) -> Result<&'a str, Refusal> {
        self.at += 1;
        let start = self.at;
        let mut owned: Option<bumpalo::collections::String<'a>> = None;
        let mut copied = start;
        loop {
            let byte = self.peek().ok_or("it ends inside a text")?;
            match byte {
                b'"' => {
                    let rest = self.text.get(copied..self.at).unwrap_or_default();
                    self.at += 1;
                    let Some(mut owned) = owned else { return Ok(rest) };
                    owned.push_str(rest);
                    return Ok(owned.into_bump_str());
                }
                b'\\' => {
                    let arena = self.arena;
                    let owned = owned.get_or_insert_with(|| bumpalo::collections::String::new_in(arena));
                    owned.push_str(self.text.get(copied..self.at).unwrap_or_default());
                    let c = self.escape()?;
                    owned.push(c);
                    copied = self.at;
                }
                0..=0x1f => return Err("a control character in a text"),
                _ => self.at += 1,
            }
        }
    }

    /// The character of an escape, at its backslash.
    fn escape(&mut self) -> Result<char, Refusal> {
        let escaped = self.text.as_bytes().get(self.at + 1).copied().ok_or("it ends inside a text")?;
        self.at += 2;
        Ok(match escaped {
            b'"' | b'\\' | b'/' => char::from(escaped),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err("an unknown escape"),
        })
    }

    fn unicode(&mut self) -> Result<char, Refusal> {
        let first = self.unit()?;
        let second = if (0xd800..0xdc00).contains(&first) && self.text.as_bytes().get(self.at) == Some(&b'\\') {
            self.at += 1;
            if self.peek() != Some(b'u') {
                return Err("half a surrogate pair");
            }
            self.at += 1;
            Some(self.unit()?)
        } else {
            None
        };
        let units = [Some(first), second].into_iter().flatten();
        let mut decoded = char::decode_utf16(units);
        match (decoded.next(), decoded.next()) {
            (Some(Ok(c)), None) => Ok(c),
            _ => Err("half a surrogate pair"),
        }
    }

    fn unit(&mut self) -> Result<u16, Refusal> {
        let digits = self.text.get(self.at..self.at + 4).ok_or("it ends inside an escape")?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err("an escape without four digits");
        }
        self.at += 4;
        u16::from_str_radix(digits, 16).map_err(|_| "an escape without four digits")
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<Node<'a>, Refusal> {
        const DIGITS_MAXIMUM: usize = 1000; // Jackson's StreamReadConstraints
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let leading_zero = self.peek() == Some(b'0');
        match self.digits() {
            0 => return Err("a number without digits"),
            count if leading_zero && count > 1 => return Err("a number with a leading zero"),
            _ => {}
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            (self.at, whole) = (self.at + 1, false);
            if self.digits() == 0 {
                return Err("a number that ends in its point");
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            (self.at, whole) = (self.at + 1, false);
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            if self.digits() == 0 {
                return Err("an exponent without digits");
            }
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        if text.len() > DIGITS_MAXIMUM {
            return Err("a number that is too long");
        }
        if !whole {
            return text.parse().map(Node::Double).map_err(|_| "not a number");
        }
        Ok(match text.parse::<i64>() {
            Ok(long) => i32::try_from(long).map_or(Node::Long(long), Node::Int),
            Err(_) => Node::Big,
        })
    }
}

/// Adds an entry; one of the same name gets the new value.
fn put<'a>(
    entries: &mut bumpalo::collections::Vec<'a, (&'a str, Node<'a>)>,
    places: &mut HashMap<&'a str, usize>,
    name: &'a str,
    value: Node<'a>,
) {
    let known = if entries.len() <= FEW_NAMES {
        entries.iter().position(|(known, _)| *known == name)
    } else {
        if places.is_empty() {
            places.extend(entries.iter().enumerate().map(|(place, (name, _))| (*name, place)));
        }
        places.get(name).copied()
    };
    match known.and_then(|place| entries.get_mut(place)) {
        Some(entry) => entry.1 = value,
        None => {
            if !places.is_empty() {
                places.insert(name, entries.len());
            }
            entries.push((name, value));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn check(text: &str, expected: &str) {
        let arena = Arena::new();
        let mut out = String::new();
        match parse(text, &arena) {
            Ok(node) => show(&node, &mut out),
            Err(reason) => out.push_str(reason),
        }
        assert_eq!(out, expected, "{text}");
    }

    fn show(node: &Node<'_>, out: &mut String) {
        match node {
            Node::Null => out.push_str("null"),
            Node::Boolean(v) => out.push_str(&v.to_string()),
            Node::Int(v) => out.push_str(&format!("i{v}")),
            Node::Long(v) => out.push_str(&format!("l{v}")),
            Node::Big => out.push_str("big"),
            Node::Double(v) => out.push_str(&format!("d{v:?}")),
            Node::Text(v) => out.push_str(&format!("{v:?}")),
            Node::Array(items) => {
                out.push('[');
                items.iter().for_each(|item| {
                    show(item, out);
                    out.push(' ');
                });
                out.push(']');
            }
            Node::Object(object) => {
                out.push('{');
                object.entries.iter().for_each(|(name, value)| {
                    out.push_str(&format!("{name:?}="));
                    show(value, out);
                    out.push(' ');
                });
                out.push('}');
            }
        }
    }

    #[test]
    fn text_is_read_as_jackson_reads_it() {
        for (text, expected) in [
            (" {\"a\" : 1 , \"b\":[ ] } rest", r#"{"a"=i1 "b"=[] }"#),
            ("[true,false,null]", "[true false null ]"),
            (
                "[2147483647,2147483648,-9223372036854775808,9223372036854775808]",
                "[i2147483647 l2147483648 l-9223372036854775808 big ]",
            ),
            ("[-0,0.0,1e3,-2.5E-1,1e400]", "[i0 d0.0 d1000.0 d-0.25 dinf ]"),
            (r#"["a\n\"\\\/\b\f\r\té\ud83d\ude00"]"#, "[\"a\\n\\\"\\\\/\\u{8}\\u{c}\\r\\té😀\" ]"),
            (r#"{"a":1,"b":2,"a":3}"#, r#"{"a"=i3 "b"=i2 }"#),
            (r#"{"":0}"#, r#"{""=i0 }"#),
            ("[01]", "a number with a leading zero"),
            ("[1.]", "a number that ends in its point"),
            ("[.5]", "a value begins with a character that none begins with"),
            ("[+1]", "a value begins with a character that none begins with"),
            ("[1e]", "an exponent without digits"),
            ("[-]", "a number without digits"),
            ("[NaN]", "a value begins with a character that none begins with"),
            ("[truex]", "an unknown word"),
            ("[1 2]", "a list goes on without a comma"),
            ("[1,]", "a value begins with a character that none begins with"),
            ("{\"a\"}", "a name is not followed by a colon"),
            ("{a:1}", "a name does not begin with a quote"),
            ("{'a':1}", "a name does not begin with a quote"),
            ("{\"a\":1", "an object goes on without a comma"),
            ("[\"a\u{1}\"]", "a control character in a text"),
            ("[\"abc", "it ends inside a text"),
            (r#"["\x"]"#, "an unknown escape"),
            (r#"["\u12"]"#, "an escape without four digits"),
            (r#"["\ud83d"]"#, "half a surrogate pair"),
            (r#"["\ud83dA"]"#, "half a surrogate pair"),
            (r#"["\ude00"]"#, "half a surrogate pair"),
            ("", "it ends before its value does"),
            ("// c\n{}", "a value begins with a character that none begins with"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn bounds_hold() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let arena = Arena::new();
        assert!(parse(&deep(DEPTH_MAXIMUM), &arena).is_ok());
        assert!(parse(&deep(DEPTH_MAXIMUM + 1), &arena).is_err());
        assert!(parse(&deep(1_000_000), &arena).is_err());
        let wide = format!("[{}0]", "0,".repeat(NODES_MAXIMUM));
        assert!(parse(&wide, &arena).is_err());
    }

    #[test]
    fn names_of_large_objects_are_found() {
        let entries: Vec<String> = (0..5000).chain(0..5000).map(|n| format!("\"k{n}\":{n}")).collect();
        let text = format!("{{{}}}", entries.join(","));
        let arena = Arena::new();
        let Node::Object(object) = parse(&text, &arena).unwrap() else { unreachable!() };
        assert_eq!(object.entries.len(), 5000);
        for number in (0..5000).step_by(7) {
            assert!(matches!(object.get(&format!("k{number}")), Some(Node::Int(value)) if *value == number));
        }
        assert!(object.get("absent").is_none());
    }
}
