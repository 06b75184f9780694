//! JSON strings as Jackson escapes them.
//!
//! Always `"`, `\` and control characters; of the latter, those without a short form as `\u00XX` with capital
//! hexadecimal digits; never `/`, DEL or other text. Characters beyond the Basic Multilingual Plane depend on what
//! Jackson writes to: into bytes (JSON converter, `UTF8JsonGenerator`) they become two escaped surrogates, into
//! characters (Avro's schema text, `WriterBasedJsonGenerator`) they stay.

/// Whether characters beyond the Basic Multilingual Plane are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// As two surrogates, `\uD83E\uDD80`.
    Escaped,
    /// Left as they are.
    Kept,
}

/// For each byte: 0 to copy it, `u` for `\u00XX`, else the letter after the backslash.
static ESCAPES: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Whether one of eight bytes has to be escaped, or (where `beyond`) begins a character of four bytes.
#[inline]
fn eight_need_escape(word: u64, beyond: bool) -> bool {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = quote.wrapping_sub(ONES) & !quote;
    let backslash = backslash.wrapping_sub(ONES) & !backslash;
    // The four high bits of a byte that is 0xF0 or more, all moved to the highest.
    let four = if beyond { word & (word << 1) & (word << 2) & (word << 3) } else { 0 };
    (control | quote | backslash | four) & HIGH != 0
}

#[inline]
fn needs_escape(bytes: &[u8], beyond: bool) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().any(|word| eight_need_escape(u64::from_le_bytes(*word), beyond))
        || rest.iter().any(|byte| ESCAPES[*byte as usize] != 0 || (beyond && *byte >= 0xf0))
}

/// Appends the text with quotes around it, as the JSON converter writes it.
#[inline]
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    if needs_escape(text.as_bytes(), true) {
        write_slowly(text, Beyond::Escaped, out);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
}

/// The text with quotes around it, as it stands in an Avro schema.
pub fn quoted(text: &str) -> String {
    let mut out = vec![b'"'];
    write_slowly(text, Beyond::Kept, &mut out);
    out.push(b'"');
    String::from_utf8(out).unwrap_or_default()
}

#[cold]
fn write_slowly(text: &str, beyond: Beyond, out: &mut Vec<u8>) {
    for c in text.chars() {
        let escape = if c.is_ascii() { ESCAPES[c as usize & 0x7f] } else { 0 };
        match escape {
            0 if beyond == Beyond::Escaped && u32::from(c) > 0xffff => {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| write_unit(*unit, out));
            }
            0 => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            b'u' => write_unit(c as u16, out),
            letter => out.extend_from_slice(&[b'\\', letter]),
        }
    }
}

/// `\uXXXX`
fn write_unit(unit: u16, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.extend_from_slice(b"\\u");
    out.extend([12, 8, 4, 0].map(|shift| HEX[usize::from(unit >> shift & 15)]));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut out = Vec::new();
        write_string(text, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn strings_are_escaped_as_jackson_escapes_them() {
        check("", "\"\"");
        check("plain / text \u{7f} é 漢", "\"plain / text \u{7f} é 漢\"");
        check("a crab 🦀", r#""a crab \uD83E\uDD80""#);
        assert_eq!(quoted("a 🦀\n"), "\"a 🦀\\n\"");
        check("a\"b\\c", r#""a\"b\\c""#);
        check("\u{8}\t\n\u{c}\r", r#""\b\t\n\f\r""#);
        check("\u{0}\u{1f}\u{b}", r#""\u0000\u001F\u000B""#);
        check("eight..\n and more\u{1}", r#""eight..\n and more\u0001""#);
    }

    #[test]
    fn the_fast_scan_finds_every_byte_at_every_place() {
        for byte in 0..=255u8 {
            for place in 0..17 {
                let mut bytes = [b'x'; 17];
                bytes[place] = byte;
                let must = ESCAPES[byte as usize] != 0;
                assert_eq!(needs_escape(&bytes, false), must, "byte {byte:#x} at {place}");
                assert_eq!(needs_escape(&bytes, true), must || byte >= 0xf0, "byte {byte:#x} at {place}");
            }
        }
    }
}
