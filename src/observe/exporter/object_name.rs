//! Patterns of beans' names, as `javax.management.ObjectName` has them: `kafka.connect:type=*,connector=orders,*`.

use crate::observe::mbean::MBean;

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ObjectPattern {
    domain: String,
    properties: Vec<(String, String)>,
    /// Further properties may stand beside those.
    open: bool,
}

impl ObjectPattern {
    /// Reads a pattern; `None` when it is none. An empty one, and `*:*`, are every bean's.
    pub(super) fn parse(text: &str) -> Option<ObjectPattern> {
        let (domain, list) = if text.is_empty() { ("*", "*") } else { text.split_once(':')? };
        let domain = if domain.is_empty() { "*" } else { domain };
        let mut pattern = ObjectPattern { domain: domain.to_owned(), properties: Vec::new(), open: false };
        for property in split(list) {
            match property.split_once('=') {
                _ if property == "*" => pattern.open = true,
                Some((key, value)) if !key.is_empty() => pattern.properties.push((key.to_owned(), value.to_owned())),
                Some(_) | None => return None,
            }
        }
        (pattern.open || !pattern.properties.is_empty()).then_some(pattern)
    }

    /// Whether a bean is meant.
    pub(super) fn is_of(&self, bean: &MBean) -> bool {
        let has = |(key, wanted): &(String, String)| {
            bean.properties.iter().any(|(name, value)| name == key && glob(wanted, value))
        };
        glob(&self.domain, &bean.domain)
            && self.properties.iter().all(has)
            && (self.open || self.properties.len() == bean.properties.len())
    }
}

/// Splits at commas that stand in no quotes.
fn split(list: &str) -> Vec<&str> {
    let (mut parts, mut from, mut inside, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in list.char_indices() {
        match c {
            '\\' if inside && !escaped => {
                escaped = true;
                continue;
            }
            '"' if !escaped => inside = !inside,
            ',' if !inside => {
                parts.extend(list.get(from..at));
                from = at + 1;
            }
            _ => {}
        }
        escaped = false;
    }
    parts.extend(list.get(from..));
    parts
}

/// Whether a text is that pattern, in which `*` stands for anything and `?` for one character.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last star stood, and how far its part of the text went.
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == c => (p, t) = (p + 1, t + 1),
            Some(_) | None => match star {
                Some((place, end)) => {
                    star = Some((place, end + 1));
                    (p, t) = (place + 1, end + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_to_java() {
        let bean = MBean::new("kafka.connect", &[("type", "connector-metrics"), ("connector", "a,b")]);
        let check = |pattern: &str, expected: bool| {
            assert_eq!(ObjectPattern::parse(pattern).unwrap().is_of(&bean), expected, "{pattern}");
        };
        check("", true);
        check("*:*", true);
        check("kafka.*:*", true);
        check("kafka.producer:*", false);
        check("kafka.connect:type=connector-metrics", false);
        check("kafka.connect:type=connector-metrics,*", true);
        check("kafka.connect:type=connector-*,connector=\"a,?\"", true);
        check("kafka.connect:connector=*,type=connector-metrics", true);
        check("kafka.connect:type=*,task=*,*", false);
        assert_eq!(ObjectPattern::parse("no colon"), None);
        assert_eq!(ObjectPattern::parse("a:"), None);
    }
}
