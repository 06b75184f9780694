//! Java's `.properties` format, exactly as `java.util.Properties.load` reads it.
//!
//! In: bytes. Out: keys and values with the line and column of each key, in the order of the file, doubled
//! keys included. Promised: escapes, continued lines and separators as in Java; bytes that are UTF-8 are
//! read as UTF-8 and others as ISO-8859-1 (Connect reads worker files as ISO-8859-1 and the files of its
//! FileConfigProvider as UTF-8; a file with valid UTF-8 in it was never meant as the former). The one
//! difference: a backslash alone on the last line is nothing, and to Java an empty key with an empty value.
//! Source: the API documentation of `java.util.Properties.load(Reader)`.

/// One key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key, escapes resolved.
    pub key: String,
    /// The value, escapes resolved.
    pub value: String,
    /// Where the key starts, from 1.
    pub line: usize,
    /// Where the key starts, from 1, in characters.
    pub column: usize,
}

/// A place that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

/// One character of a logical line with its place in the file.
#[derive(Clone, Copy)]
struct Placed {
    c: char,
    line: usize,
    column: usize,
}

/// Reads a whole file.
pub fn parse(bytes: &[u8]) -> Result<Vec<Entry>, SyntaxError> {
    let text = decode(bytes);
    logical_lines(&text).iter().map(|line| entry(line)).collect()
}

/// UTF-8 where it is UTF-8, without a byte order mark; ISO-8859-1 otherwise.
pub(super) fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\x0C')
}

/// Natural lines joined where one ends in an odd number of backslashes; blank lines and comments left out.
fn logical_lines(text: &str) -> Vec<Vec<Placed>> {
    let mut lines = Vec::new();
    let mut current: Vec<Placed> = Vec::new();
    for (number, natural) in natural_lines(text).enumerate() {
        let mut placed =
            natural.chars().enumerate().map(|(column, c)| Placed { c, line: number + 1, column: column + 1 });
        let first = placed.by_ref().find(|placed| !is_blank(placed.c));
        // The backslash that asked for this line is still at the end of what came before it. Where it stood
        // alone, Java takes this line for a new one: a comment is a comment.
        current.pop();
        let continues = !current.is_empty();
        match first {
            // A blank line ends a line that asked to go on; Java adds nothing and ends there as well.
            None if !continues => continue,
            Some(Placed { c: '#' | '!', .. }) if !continues => continue,
            first => current.extend(first.into_iter().chain(placed)),
        }
        let backslashes = current.iter().rev().take_while(|placed| placed.c == '\\').count();
        if backslashes % 2 == 0 && !current.is_empty() {
            lines.push(std::mem::take(&mut current));
        }
    }
    // A backslash at the very end of the file continues nothing.
    current.pop();
    if !current.is_empty() {
        lines.push(current);
    }
    lines
}

/// Lines ended by `\n`, `\r` or `\r\n`.
fn natural_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\n', '\r']) else {
            rest = None;
            return Some(text);
        };
        let (line, ending) = text.split_at(end);
        rest = ending.strip_prefix("\r\n").or_else(|| ending.get(1..));
        Some(line)
    })
}

/// Splits one logical line at its separator.
fn entry(line: &[Placed]) -> Result<Entry, SyntaxError> {
    let start = line.first().map_or((1, 1), |placed| (placed.line, placed.column));
    let mut end = 0;
    let mut escaped = false;
    for placed in line {
        if !escaped && (is_blank(placed.c) || matches!(placed.c, '=' | ':')) {
            break;
        }
        escaped = !escaped && placed.c == '\\';
        end += 1;
    }
    let (key, rest) = line.split_at(end);
    let blanks = rest.iter().take_while(|placed| is_blank(placed.c)).count();
    let rest = rest.get(blanks..).unwrap_or(&[]);
    let rest = match rest.split_first() {
        Some((Placed { c: '=' | ':', .. }, rest)) => rest,
        _ => rest,
    };
    let blanks = rest.iter().take_while(|placed| is_blank(placed.c)).count();
    let value = rest.get(blanks..).unwrap_or(&[]);
    Ok(Entry { key: unescape(key)?, value: unescape(value)?, line: start.0, column: start.1 })
}

/// Resolves `\t`, `\n`, `\r`, `\f` and `\uXXXX`; any other escaped character stands for itself.
fn unescape(text: &[Placed]) -> Result<String, SyntaxError> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut buffer = [0_u16; 2];
    let mut rest = text.iter();
    while let Some(placed) = rest.next() {
        let c = if placed.c == '\\' {
            match rest.next().map(|placed| placed.c) {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\x0C',
                Some('u') => {
                    units.push(unicode(&mut rest).ok_or(SyntaxError {
                        line: placed.line,
                        column: placed.column,
                        reason: "\\u needs four hexadecimal digits",
                    })?);
                    continue;
                }
                Some(other) => other,
                None => break,
            }
        } else {
            placed.c
        };
        units.extend_from_slice(c.encode_utf16(&mut buffer));
    }
    String::from_utf16(&units).map_err(|_| {
        let start = text.first().map_or((1, 1), |placed| (placed.line, placed.column));
        SyntaxError { line: start.0, column: start.1, reason: "half a surrogate pair in \\u escapes" }
    })
}

fn unicode(rest: &mut std::slice::Iter<'_, Placed>) -> Option<u16> {
    let mut value = 0_u32;
    for _ in 0..4 {
        value = value * 16 + rest.next()?.c.to_digit(16)?;
    }
    u16::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// The file holds these keys and values, as `java.util.Properties` reads them.
    fn check(text: &[u8], expected: &[(&str, &str)]) {
        let entries = parse(text).unwrap();
        let found: Vec<(&str, &str)> = entries.iter().map(|e| (e.key.as_str(), e.value.as_str())).collect();
        assert_eq!(found, expected, "{}", String::from_utf8_lossy(text));
    }

    #[test]
    fn separators_and_blanks() {
        check(b"a=b", &[("a", "b")]);
        check(b"a:b", &[("a", "b")]);
        check(b"a b", &[("a", "b")]);
        check(b"  a \t=\x0C b  ", &[("a", "b  ")]);
        check(b"a==b", &[("a", "=b")]);
        check(b"a = : b", &[("a", ": b")]);
        check(b"a", &[("a", "")]);
        check(b"a=", &[("a", "")]);
        check(b"=b", &[("", "b")]);
        check(b"a\\=b\\:c\\ d=e", &[("a=b:c d", "e")]);
        check(b"a\\\\=b", &[("a\\", "b")]);
    }

    #[test]
    fn comments_blank_lines_and_line_ends() {
        check(b"# a=b\n! c=d\n\n   \n  #x\ne=f#g\r\nh=i\rj=k", &[("e", "f#g"), ("h", "i"), ("j", "k")]);
        check(b"", &[]);
        check(b"# open \\\na=b", &[("a", "b")]);
        check(b"\xEF\xBB\xBFa=b", &[("a", "b")]);
    }

    #[test]
    fn continued_lines() {
        check(b"a=b,\\\n   c,\\\r\n\td", &[("a", "b,c,d")]);
        check(b"a=b\\\\\nc=d", &[("a", "b\\"), ("c", "d")]);
        check(b"a=b\\\n#c", &[("a", "b#c")]);
        check(b"a=b\\\n\nc=d", &[("a", "b"), ("c", "d")]);
        check(b"a\\\n=b", &[("a", "b")]);
        check(b"a=b\\", &[("a", "b")]);
        check(b"\\\na=b", &[("a", "b")]);
        check(b"\\\n#a=b\nc=d", &[("c", "d")]);
    }

    #[test]
    fn escapes_and_encodings() {
        check(b"a=\\t\\n\\r\\f\\q\\\"", &[("a", "\t\n\r\x0Cq\"")]);
        check(b"a=\\u00e9\\uD83D\\uDE00", &[("a", "é😀")]);
        check("a=é".as_bytes(), &[("a", "é")]);
        check(b"a=\xE9", &[("a", "é")]);
        assert_eq!(
            parse(b"x=y\na=\\u12G4").unwrap_err(),
            SyntaxError { line: 2, column: 3, reason: "\\u needs four hexadecimal digits" }
        );
        assert!(parse(b"a=\\uD83D").is_err());
    }

    #[test]
    fn places_are_those_of_the_key() {
        let entries = parse(b"a=b\\\n c\n\n  d=e").unwrap();
        let places: Vec<(usize, usize)> = entries.iter().map(|e| (e.line, e.column)).collect();
        assert_eq!(places, [(1, 1), (4, 3)]);
    }

    proptest! {
        /// Any bytes are read or refused, and never panic.
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes);
        }

        /// Text of the characters that mean something.
        #[test]
        fn any_text(text in "[a= :\\\\u0\n\r#!\t]{0,40}") {
            let _ = parse(text.as_bytes());
        }
    }
}
