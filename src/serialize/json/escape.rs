//! JSON strings as Jackson escapes them: `"`, `\` and control characters, nothing else.
//!
//! Jackson's default (no `ESCAPE_NON_ASCII`) leaves `/`, DEL and everything beyond ASCII alone and writes
//! control characters without a short form as `\u00XX` with capital hexadecimal digits.

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

/// Whether one of eight bytes has to be escaped. May be true without cause only for bytes after one that must.
#[inline]
fn eight_need_escape(word: u64) -> bool {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = quote.wrapping_sub(ONES) & !quote;
    let backslash = backslash.wrapping_sub(ONES) & !backslash;
    (control | quote | backslash) & HIGH != 0
}

#[inline]
fn needs_escape(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().any(|word| eight_need_escape(u64::from_le_bytes(*word)))
        || rest.iter().any(|byte| ESCAPES[*byte as usize] != 0)
}

/// Appends the text with quotes around it.
#[inline]
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    write_escaped(text, out);
    out.push(b'"');
}

/// Appends the text without quotes.
#[inline]
pub fn write_escaped(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    if needs_escape(bytes) { write_slowly(bytes, out) } else { out.extend_from_slice(bytes) }
}

#[cold]
fn write_slowly(bytes: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for run in bytes.chunk_by(|left, right| ESCAPES[*left as usize] == 0 && ESCAPES[*right as usize] == 0) {
        let [byte] = run else {
            out.extend_from_slice(run);
            continue;
        };
        match ESCAPES[*byte as usize] {
            0 => out.push(*byte),
            b'u' => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
            letter => out.extend_from_slice(&[b'\\', letter]),
        }
    }
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
        check("plain / text \u{7f} é 漢 🦀", "\"plain / text \u{7f} é 漢 🦀\"");
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
                assert_eq!(needs_escape(&bytes), ESCAPES[byte as usize] != 0, "byte {byte:#x} at {place}");
            }
        }
    }
}
