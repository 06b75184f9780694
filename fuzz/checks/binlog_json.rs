//! A binary JSON document; and, split in the middle, one with differences.

use headwater::source::binlog::event::json::{write_text, write_updated};

/// Text of a byte is at most this long: a double of 8 bytes has up to 1,077 characters.
const TEXT_LIMIT: usize = 1100;

/// The bytes as a document: a text that was written whole is JSON, and not out of proportion.
pub fn check(bytes: &[u8]) {
    let mut text = Vec::new();
    let written = write_text(bytes, &mut text);
    assert!(text.len() <= (bytes.len() + 1) * TEXT_LIMIT);
    assert!(std::str::from_utf8(&text).is_ok());
    if written.is_ok() {
        assert!(matches!(text.first(), Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n')));
    }
    let (before, differences) = bytes.split_at(bytes.len() / 2);
    text.clear();
    let _ = write_updated(before, differences, &mut text);
    assert!(std::str::from_utf8(&text).is_ok());
}
