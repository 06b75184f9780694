//! Series, and their text: version 0.0.4 of Prometheus' exposition format.
//!
//! In: families of series. Out: text. Promised: a name that comes twice stands in one family, as the format demands, and
//! what a name or a value may not have is escaped.

use std::collections::HashMap;
use std::fmt::Write as _;

/// A label: its name, its value.
pub type Label = (String, String);

/// What kind of number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It goes up and down.
    Gauge,
    /// It only grows.
    Counter,
    /// Nobody said.
    Untyped,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Untyped => "untyped",
        }
    }
}

/// One series' labels and value.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its labels.
    pub labels: Vec<Label>,
    /// Its value.
    pub value: f64,
}

/// The series of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// The name.
    pub name: String,
    /// What it says, in a line.
    pub help: String,
    /// Its kind.
    pub kind: Kind,
    /// Its series.
    pub series: Vec<Series>,
}

/// Puts families of one name together, in the order in which the names come first. Where they are of several kinds, nobody
/// knows the kind.
pub fn joined(families: Vec<Family>) -> Vec<Family> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut out: Vec<Family> = Vec::new();
    for family in families {
        match places.get(&family.name).and_then(|place| out.get_mut(*place)) {
            Some(known) => {
                if known.kind != family.kind {
                    known.kind = Kind::Untyped;
                }
                known.series.extend(family.series);
            }
            None => {
                places.insert(family.name.clone(), out.len());
                out.push(family);
            }
        }
    }
    out
}

/// The text of families, of which each name comes once.
pub fn text(families: &[Family]) -> String {
    let mut out = String::new();
    for Family { name, help, kind, series } in families.iter().filter(|family| !family.series.is_empty()) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {}", kind.name());
        for Series { labels, value } in series {
            out.push_str(name);
            for (index, (label, value)) in labels.iter().enumerate() {
                out.push(if index == 0 { '{' } else { ',' });
                let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                let _ = write!(out, "{label}=\"{value}\"");
            }
            out.push_str(if labels.is_empty() { " " } else { "} " });
            let _ = match *value {
                value if value == f64::INFINITY => writeln!(out, "+Inf"),
                value if value == f64::NEG_INFINITY => writeln!(out, "-Inf"),
                value => writeln!(out, "{value}"),
            };
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(name: &str, label: &str, value: f64) -> Family {
        let series = Series { labels: vec![("l".to_owned(), label.to_owned())], value };
        Family { name: name.to_owned(), help: "h\\\n".to_owned(), kind: Kind::Gauge, series: vec![series] }
    }

    #[test]
    fn a_name_stands_once_and_everything_is_escaped() {
        let mut plain = family("b", "", 2.5);
        plain.series.iter_mut().for_each(|series| series.labels.clear());
        let families = joined(vec![family("a", "x\"\\\n", 1.0), plain, family("a", "y", f64::NAN)]);
        let expected = "# HELP a h\\\\\\n\n# TYPE a gauge\na{l=\"x\\\"\\\\\\n\"} 1\na{l=\"y\"} NaN\n\
                        # HELP b h\\\\\\n\n# TYPE b gauge\nb 2.5\n";
        assert_eq!(text(&families), expected);
    }
}
