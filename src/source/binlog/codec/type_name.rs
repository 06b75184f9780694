//! A tracked type name taken apart: `INT UNSIGNED ZEROFILL` is the base `INT`, unsigned.

/// A type name without its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TypeName {
    /// The base in capitals: `INT`, `DOUBLE PRECISION`, `NATIONAL CHAR VARYING`.
    pub base: String,
    /// `UNSIGNED` or `ZEROFILL`, which implies it.
    pub unsigned: bool,
}

impl TypeName {
    /// Takes a name apart. A length or list of values in parentheses is passed over, and so is `BINARY` behind
    /// a character type, which names a collation.
    pub fn parse(name: &str) -> TypeName {
        let upper = name.to_ascii_uppercase();
        let (head, tail) = match (upper.find('('), upper.rfind(')')) {
            (Some(open), Some(close)) if open < close => {
                (upper.get(..open).unwrap_or_default(), upper.get(close + 1..).unwrap_or_default())
            }
            _ => (upper.as_str(), ""),
        };
        let mut unsigned = false;
        let mut base = String::with_capacity(head.len());
        for word in head.split_whitespace().chain(tail.split_whitespace()) {
            match word {
                "UNSIGNED" | "ZEROFILL" => unsigned = true,
                "SIGNED" | "COMPRESSED" => {}
                "BINARY" if !base.is_empty() => {}
                _ => {
                    if !base.is_empty() {
                        base.push(' ');
                    }
                    base.push_str(word);
                }
            }
        }
        TypeName { base, unsigned }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_taken_off() {
        let check = |name: &str, base: &str, unsigned: bool| {
            assert_eq!(TypeName::parse(name), TypeName { base: base.into(), unsigned }, "{name}");
        };
        check("INT", "INT", false);
        check("bigint unsigned", "BIGINT", true);
        check("DECIMAL(10,2) UNSIGNED ZEROFILL", "DECIMAL", true);
        check("INT SIGNED", "INT", false);
        check("BINARY", "BINARY", false);
        check("VARCHAR BINARY", "VARCHAR", false);
        check("ENUM('a','b)')", "ENUM", false);
        check("DOUBLE PRECISION UNSIGNED", "DOUBLE PRECISION", true);
        check("LONG VARBINARY", "LONG VARBINARY", false);
        check(")(", ")(", false);
    }
}
