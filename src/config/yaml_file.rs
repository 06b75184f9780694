//! Connector files in YAML.
//!
//! In: text. Out: the same pairs as from JSON, every plain scalar as written. Promised: doubled keys, lists
//! and nested maps where text belongs, and every slip of syntax are errors with line and column; no alias
//! bomb and no include (the parser's own limits), and no piece of the file in a message.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::json_file::{Document, Fault};

/// Reads a whole file.
pub(super) fn parse(text: &str) -> Result<Document, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let keys: Pairs<IgnoredAny> = read(text)?;
    // A connector has no option `config` of its own, so one at the top is the wrapped form.
    if keys.0.iter().any(|(key, _)| key == "config") {
        let wrapped: Wrapped = read(text)?;
        return Ok(Document { pairs: wrapped.pairs, config: wrapped.config });
    }
    let Pairs::<Option<String>>(pairs) = read(text)?;
    Ok(Document { pairs: present(pairs), config: None })
}

fn present(pairs: Vec<(String, Option<String>)>) -> Vec<(String, String)> {
    pairs.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Fault> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let location = error.location();
        let reason = error.to_string();
        let place = |count: u64| usize::try_from(count).unwrap_or(1).max(1);
        Fault {
            line: location.map_or(1, |location| place(location.line())),
            column: location.map_or(1, |location| place(location.column())),
            reason: reason
                .lines()
                .next()
                .and_then(|line| line.split(" at line ").next())
                .unwrap_or_default()
                .to_owned(),
            twice: None,
        }
    })
}

/// A map's pairs in the order written.
struct Pairs<V>(Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Collect<V> {
            type Value = Pairs<V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of names and values")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    if pairs.len() >= super::source_file::MOST_PROPERTIES {
                        return Err(A::Error::custom("too many properties"));
                    }
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Collect(std::marker::PhantomData))
    }
}

/// The form with a nested `config`.
struct Wrapped {
    pairs: Vec<(String, String)>,
    config: Option<Vec<(String, String)>>,
}

impl<'de> Deserialize<'de> for Wrapped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Wrapped;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map with 'name' and 'config'")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut wrapped = Wrapped { pairs: Vec::new(), config: None };
                while let Some(key) = map.next_key::<String>()? {
                    if key == "config" {
                        let Pairs::<Option<String>>(config) = map.next_value()?;
                        wrapped.config = Some(present(config));
                    } else {
                        let value: Option<String> = map.next_value()?;
                        wrapped.pairs.extend(value.map(|value| (key, value)));
                    }
                }
                Ok(wrapped)
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
