//! Avro names: taken from Connect names, checked, and (if asked for) scrubbed.

use crate::serialize::error::SerializeError;

/// A name in Avro's two parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvroName {
    /// The last part.
    pub name: String,
    /// All before it.
    pub namespace: Option<String>,
}

impl AvroName {
    /// Splits a Connect name at its last dot, scrubbing each part when `scrub` is set.
    pub fn split(full: &str, scrub_parts: bool) -> Self {
        // Java's String.split drops empty parts at the end.
        let mut parts: Vec<String> = full.trim_end_matches('.').split('.').map(str::to_owned).collect();
        if scrub_parts {
            parts.iter_mut().for_each(|part| *part = scrub(part));
        }
        let name = parts.pop().unwrap_or_default();
        let namespace = Some(parts.join(".")).filter(|namespace| !namespace.is_empty());
        AvroName { name, namespace }
    }

    /// Namespace and name.
    pub fn full(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}.{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Checks a name as `org.apache.avro.Schema` does: a letter or `_`, then letters, digits and `_`. It does not
/// look at namespaces, and neither do we: the registry has the last word.
///
/// # Errors
/// When the name is not one.
pub fn check(name: &str, place: &str) -> Result<(), SerializeError> {
    let letter = |c: char| c == '_' || (u32::from(c) <= 0xffff && c.is_alphabetic());
    let digit = |c: char| letter(c) || (u32::from(c) <= 0xffff && c.is_numeric());
    let mut chars = name.chars();
    if chars.next().is_some_and(letter) && chars.all(digit) {
        return Ok(());
    }
    Err(SerializeError::AvroName { name: name.into(), place: place.into() })
}

/// `scrub.invalid.names`: URL-encodes the name, and writes `_` for whatever is still no letter or digit.
pub fn scrub(name: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let starts_with_digit = name.as_bytes().first().is_some_and(u8::is_ascii_digit);
    if name.is_empty() || (name.bytes().all(|byte| plain(&byte)) && !starts_with_digit) {
        return name.into();
    }
    let mut out = String::with_capacity(name.len() + 8);
    if starts_with_digit {
        out.push('x');
    }
    for byte in name.bytes() {
        if plain(&byte) {
            out.push(char::from(byte));
        } else if matches!(byte, b'.' | b'-' | b'*' | b' ') {
            // URLEncoder leaves the first three alone and writes `+` for a space.
            out.push('_');
        } else {
            out.push_str(&format!("_{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn connect_names_are_split_at_the_last_dot() {
        for (full, scrub, namespace, name) in [
            ("server.db.table.Value", false, Some("server.db.table"), "Value"),
            ("Value", false, None, "Value"),
            ("my-server.1db.Value", true, Some("my_server.x1db"), "Value"),
            ("a.b.", false, Some("a"), "b"),
        ] {
            let split = AvroName::split(full, scrub);
            assert_eq!((split.namespace.as_deref(), split.name.as_str()), (namespace, name), "{full}");
        }
    }

    #[test]
    fn scrubbed_names_are_those_of_avro_data() {
        for (name, expected) in [("ok_1", "ok_1"), ("1st", "x1st"), ("a b-c", "a_b_c"), ("ü$", "_C3_BC_24"), ("", "")]
        {
            assert_eq!(scrub(name), expected);
        }
    }

    #[test]
    fn names_are_checked_as_avro_checks_them() {
        for (name, valid) in [
            ("a", true),
            ("_1", true),
            ("ü", true),
            ("", false),
            ("1a", false),
            ("a-b", false),
            ("a b", false),
            ("🦀", false),
        ] {
            assert_eq!(check(name, "test").is_ok(), valid, "{name}");
        }
    }
}
