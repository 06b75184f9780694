//! UCS-2, UTF-16 and UTF-32. Errors are the offset of the first bad byte.

use bumpalo::collections::String;

use crate::model::value::Arena;

/// UTF-16, in either order of bytes.
pub(super) fn utf16<'a>(cell: &[u8], big: bool, arena: &'a Arena, lossy: bool) -> Result<&'a str, usize> {
    let (units, rest) = cell.as_chunks::<2>();
    let units = units.iter().map(|unit| if big { u16::from_be_bytes(*unit) } else { u16::from_le_bytes(*unit) });
    let mut text = String::with_capacity_in(cell.len() * 3 / 2, arena);
    let mut at = 0;
    for character in char::decode_utf16(units) {
        match character {
            Ok(character) => {
                text.push(character);
                at += character.len_utf16() * 2;
            }
            Err(_) if lossy => text.push(char::REPLACEMENT_CHARACTER),
            Err(_) => return Err(at),
        }
    }
    finish(text, !rest.is_empty(), lossy, cell.len())
}

/// UTF-32, most significant byte first.
pub(super) fn utf32<'a>(cell: &[u8], arena: &'a Arena, lossy: bool) -> Result<&'a str, usize> {
    let (units, rest) = cell.as_chunks::<4>();
    let mut text = String::with_capacity_in(cell.len(), arena);
    for (index, unit) in units.iter().enumerate() {
        match char::from_u32(u32::from_be_bytes(*unit)) {
            Some(character) => text.push(character),
            None if lossy => text.push(char::REPLACEMENT_CHARACTER),
            None => return Err(index * 4),
        }
    }
    finish(text, !rest.is_empty(), lossy, cell.len())
}

fn finish<'a>(mut text: String<'a>, cut: bool, lossy: bool, length: usize) -> Result<&'a str, usize> {
    match (cut, lossy) {
        (false, _) => {}
        (true, true) => text.push(char::REPLACEMENT_CHARACTER),
        (true, false) => return Err(length.saturating_sub(1)),
    }
    Ok(text.into_bump_str())
}
