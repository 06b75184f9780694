//! MySQL's and MariaDB's character sets, as UTF-8.
//!
//! In: the bytes of a text cell. Out: text, borrowed where the bytes are UTF-8 already (ASCII in every single-byte
//! character set), else made in the arena. Promised: a byte that the character set does not define is an error
//! with its offset, or U+FFFD where that is asked for; nothing is guessed.

mod collation;
mod multibyte;
mod single_byte;
mod wide;

use encoding_rs::{DecoderResult, Encoding};

use crate::model::value::{Arena, ValueError};
use multibyte::{Differences, Unit};
use single_byte::UpperHalf;

/// One character set.
#[derive(Clone, Copy)]
pub(super) struct Charset {
    /// Its name, for errors.
    name: &'static str,
    form: Form,
}

#[derive(Clone, Copy)]
enum Form {
    /// UTF-8 of up to three or four bytes.
    Utf8,
    /// 0x00 to 0x7F.
    Ascii,
    /// Every byte is the code point of its number.
    Iso88591,
    /// ASCII, and a table above it.
    Single(&'static UpperHalf),
    /// Sweden's ISO 646, which replaces eleven characters of ASCII.
    Swe7,
    /// One or more bytes, ASCII among them.
    Multi(&'static Multi),
    /// Two or four bytes.
    Utf16 { big: bool },
    /// Four bytes, most significant first.
    Utf32,
}

/// A multi-byte character set: the Encoding Standard's, with Java's characters where the two differ.
struct Multi {
    encoding: &'static Encoding,
    unit: Unit,
    differences: &'static Differences,
}

impl std::fmt::Debug for Charset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The character set of a collation's number; `None` where the number is not known.
pub(super) fn name_of_collation(collation: u16) -> Option<&'static str> {
    collation::charset(collation)
}

/// The number of the collation `binary`, which says that a column has no characters.
pub(super) const BINARY_COLLATION: u16 = 63;

/// Debezium asks Java for these, which does not have them, and then takes another one.
const JAVA_SUBSTITUTES: &[(&str, &str)] = &[
    ("armscii8", "latin1"),
    ("dec8", "latin1"),
    ("geostd8", "latin1"),
    ("hp8", "latin1"),
    ("swe7", "latin1"),
    ("keybcs2", "cp852"),
    ("koi8u", "koi8r"),
];

impl Charset {
    /// UTF-8.
    pub const UTF8: Charset = Charset { name: "utf8mb4", form: Form::Utf8 };

    /// The character set of a name, in any case. With `java` the seven that Java lacks are read as Debezium reads
    /// them, wrong letters included.
    pub fn named(name: &str, java: bool) -> Option<Charset> {
        let name = name.to_ascii_lowercase();
        let substitute = JAVA_SUBSTITUTES.iter().find(|(from, _)| java && *from == name);
        let name = substitute.map_or(name.as_str(), |(_, to)| *to);
        CHARSETS.iter().find(|charset| charset.name == name).copied().or(match name {
            "utf8" => Some(Charset::UTF8),
            _ => None,
        })
    }

    /// Its name on the server.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The text of a cell.
    ///
    /// # Errors
    /// [`ValueError::Charset`] with the offset of the first bad byte, unless `lossy`.
    // A text that comes back through memory is waited for.
    #[inline(always)]
    pub fn decode<'a>(self, cell: &'a [u8], arena: &'a Arena, lossy: bool) -> Result<&'a str, ValueError> {
        match self.form {
            Form::Utf8 => match simdutf8::basic::from_utf8(cell) {
                Ok(text) => Ok(text),
                Err(_) => self.bad_utf8(cell, arena, lossy),
            },
            Form::Ascii | Form::Iso88591 | Form::Single(_) | Form::Multi(_) if cell.is_ascii() => {
                // Checked twice, because only the standard library may skip the second check.
                simdutf8::basic::from_utf8(cell).map_err(|_| self.error(0))
            }
            Form::Ascii
            | Form::Iso88591
            | Form::Single(_)
            | Form::Swe7
            | Form::Multi(_)
            | Form::Utf16 { .. }
            | Form::Utf32 => self.transcode(cell, arena, lossy),
        }
    }

    fn error(self, at: usize) -> ValueError {
        ValueError::Charset { charset: self.name, at }
    }

    #[cold]
    fn bad_utf8<'a>(self, cell: &'a [u8], arena: &'a Arena, lossy: bool) -> Result<&'a str, ValueError> {
        match std::str::from_utf8(cell) {
            Ok(text) => Ok(text),
            Err(_) if lossy => {
                let mut text = bumpalo::collections::String::with_capacity_in(cell.len() + 8, arena);
                for chunk in cell.utf8_chunks() {
                    text.push_str(chunk.valid());
                    if !chunk.invalid().is_empty() {
                        text.push(char::REPLACEMENT_CHARACTER);
                    }
                }
                Ok(text.into_bump_str())
            }
            Err(error) => Err(self.error(error.valid_up_to())),
        }
    }

    fn transcode<'a>(self, cell: &'a [u8], arena: &'a Arena, lossy: bool) -> Result<&'a str, ValueError> {
        match self.form {
            Form::Utf8 => self.bad_utf8(cell, arena, lossy),
            Form::Ascii => self.bytewise(cell, arena, lossy, |_| None),
            Form::Iso88591 => self.bytewise(cell, arena, lossy, |byte| Some(char::from(byte))),
            Form::Single(upper) => self.bytewise(cell, arena, lossy, |byte| {
                let code = upper.get(usize::from(byte & 0x7f)).copied().unwrap_or(0xfffd);
                char::from_u32(code.into()).filter(|c| *c != char::REPLACEMENT_CHARACTER)
            }),
            Form::Swe7 => self.bytewise(cell, arena, lossy, |_| None),
            Form::Multi(encoding) => self.multibyte(encoding, cell, arena, lossy),
            Form::Utf16 { big } => wide::utf16(cell, big, arena, lossy).map_err(|at| self.error(at)),
            Form::Utf32 => wide::utf32(cell, arena, lossy).map_err(|at| self.error(at)),
        }
    }

    fn bytewise<'a>(
        self,
        cell: &[u8],
        arena: &'a Arena,
        lossy: bool,
        upper: impl Fn(u8) -> Option<char>,
    ) -> Result<&'a str, ValueError> {
        let mut text = bumpalo::collections::String::with_capacity_in(cell.len() * 2, arena);
        let swe7 = matches!(self.form, Form::Swe7);
        for (at, byte) in cell.iter().copied().enumerate() {
            let character = match byte {
                0..=0x7f if swe7 => swedish(byte),
                0..=0x7f => Some(char::from(byte)),
                0x80.. => upper(byte),
            };
            match character {
                Some(character) => text.push(character),
                None if lossy => text.push(char::REPLACEMENT_CHARACTER),
                None => return Err(self.error(at)),
            }
        }
        Ok(text.into_bump_str())
    }

    /// Decodes from one character that Java has otherwise to the next.
    fn multibyte<'a>(self, multi: &Multi, cell: &[u8], arena: &'a Arena, lossy: bool) -> Result<&'a str, ValueError> {
        let mut text = bumpalo::collections::String::with_capacity_in(cell.len() + cell.len() / 2 + 4, arena);
        let (mut from, mut at) = (0, 0);
        while let Some(rest) = cell.get(at..).filter(|rest| !rest.is_empty()) {
            let length = (multi.unit)(rest).clamp(1, rest.len());
            let code = rest.iter().take(length).fold(0_u32, |code, byte| code << 8 | u32::from(*byte));
            let known = multi.differences.binary_search_by_key(&code, |(code, _)| *code).ok();
            if let Some((_, character)) = known.and_then(|index| multi.differences.get(index)) {
                self.segment(multi.encoding, cell, from..at, &mut text, lossy)?;
                text.push(*character);
                from = at + length;
            }
            at += length;
        }
        self.segment(multi.encoding, cell, from..cell.len(), &mut text, lossy)?;
        Ok(text.into_bump_str())
    }

    fn segment(
        self,
        encoding: &'static Encoding,
        cell: &[u8],
        range: std::ops::Range<usize>,
        text: &mut bumpalo::collections::String<'_>,
        lossy: bool,
    ) -> Result<(), ValueError> {
        let end = range.end;
        let mut decoder = encoding.new_decoder_without_bom_handling();
        let mut rest = cell.get(range).unwrap_or_default();
        let mut piece = [0_u8; 512];
        loop {
            let (result, read, written) = decoder.decode_to_utf8_without_replacement(rest, &mut piece, true);
            let decoded = piece.get(..written).unwrap_or_default();
            text.push_str(simdutf8::basic::from_utf8(decoded).map_err(|_| ValueError::Shape)?);
            rest = rest.get(read..).unwrap_or_default();
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) if lossy => text.push(char::REPLACEMENT_CHARACTER),
                DecoderResult::Malformed(bad, behind) => {
                    let at = end.saturating_sub(rest.len());
                    return Err(self.error(at.saturating_sub(usize::from(bad) + usize::from(behind))));
                }
            }
        }
    }
}

/// SEN 850200: letters in the places of ASCII's brackets.
fn swedish(byte: u8) -> Option<char> {
    Some(match byte {
        0x40 => 'É',
        0x5b => 'Ä',
        0x5c => 'Ö',
        0x5d => 'Å',
        0x5e => 'Ü',
        0x60 => 'é',
        0x7b => 'ä',
        0x7c => 'ö',
        0x7d => 'å',
        0x7e => 'ü',
        0x7f => return None,
        _ => char::from(byte),
    })
}

/// Every character set of MySQL 5.7 to 9.7 and MariaDB 10.5 to 11.8.
static CHARSETS: &[Charset] = &[
    Charset { name: "utf8mb4", form: Form::Utf8 },
    Charset { name: "utf8mb3", form: Form::Utf8 },
    Charset { name: "latin1", form: Form::Single(&single_byte::LATIN1) },
    Charset { name: "ascii", form: Form::Ascii },
    Charset { name: "binary", form: Form::Iso88591 },
    Charset { name: "armscii8", form: Form::Single(&single_byte::ARMSCII8) },
    Charset {
        name: "big5",
        form: Form::Multi(&Multi {
            encoding: encoding_rs::BIG5,
            unit: multibyte::double_byte,
            differences: multibyte::BIG5,
        }),
    },
    Charset { name: "cp1250", form: Form::Single(&single_byte::CP1250) },
    Charset { name: "cp1251", form: Form::Single(&single_byte::CP1251) },
    Charset { name: "cp1256", form: Form::Single(&single_byte::CP1256) },
    Charset { name: "cp1257", form: Form::Single(&single_byte::CP1257) },
    Charset { name: "cp850", form: Form::Single(&single_byte::CP850) },
    Charset { name: "cp852", form: Form::Single(&single_byte::CP852) },
    Charset { name: "cp866", form: Form::Single(&single_byte::CP866) },
    Charset {
        name: "cp932",
        form: Form::Multi(&Multi { encoding: encoding_rs::SHIFT_JIS, unit: multibyte::shift_jis, differences: &[] }),
    },
    Charset { name: "dec8", form: Form::Single(&single_byte::DEC8) },
    Charset {
        name: "eucjpms",
        form: Form::Multi(&Multi {
            encoding: encoding_rs::EUC_JP,
            unit: multibyte::euc_jp,
            differences: multibyte::EUCJPMS,
        }),
    },
    Charset {
        name: "euckr",
        form: Form::Multi(&Multi {
            encoding: encoding_rs::EUC_KR,
            unit: multibyte::double_byte,
            differences: multibyte::EUCKR,
        }),
    },
    Charset {
        name: "gb18030",
        form: Form::Multi(&Multi { encoding: encoding_rs::GB18030, unit: multibyte::double_byte, differences: &[] }),
    },
    Charset {
        name: "gb2312",
        form: Form::Multi(&Multi {
            encoding: encoding_rs::GBK,
            unit: multibyte::double_byte,
            differences: multibyte::GB2312,
        }),
    },
    Charset {
        name: "gbk",
        form: Form::Multi(&Multi {
            encoding: encoding_rs::GBK,
            unit: multibyte::double_byte,
            differences: multibyte::GBK,
        }),
    },
    Charset { name: "geostd8", form: Form::Single(&single_byte::GEOSTD8) },
    Charset { name: "greek", form: Form::Single(&single_byte::GREEK) },
    Charset { name: "hebrew", form: Form::Single(&single_byte::HEBREW) },
    Charset { name: "hp8", form: Form::Single(&single_byte::HP8) },
    Charset { name: "keybcs2", form: Form::Single(&single_byte::KEYBCS2) },
    Charset { name: "koi8r", form: Form::Single(&single_byte::KOI8R) },
    Charset { name: "koi8u", form: Form::Single(&single_byte::KOI8U) },
    Charset { name: "latin2", form: Form::Single(&single_byte::LATIN2) },
    Charset { name: "latin5", form: Form::Single(&single_byte::LATIN5) },
    Charset { name: "latin7", form: Form::Single(&single_byte::LATIN7) },
    Charset { name: "macce", form: Form::Single(&single_byte::MACCE) },
    Charset { name: "macroman", form: Form::Single(&single_byte::MACROMAN) },
    Charset {
        name: "sjis",
        form: Form::Multi(&Multi {
            encoding: encoding_rs::SHIFT_JIS,
            unit: multibyte::shift_jis,
            differences: multibyte::SJIS,
        }),
    },
    Charset { name: "swe7", form: Form::Swe7 },
    Charset { name: "tis620", form: Form::Single(&single_byte::TIS620) },
    Charset { name: "ucs2", form: Form::Utf16 { big: true } },
    Charset {
        name: "ujis",
        form: Form::Multi(&Multi {
            encoding: encoding_rs::EUC_JP,
            unit: multibyte::euc_jp,
            differences: multibyte::UJIS,
        }),
    },
    Charset { name: "utf16", form: Form::Utf16 { big: true } },
    Charset { name: "utf16le", form: Form::Utf16 { big: false } },
    Charset { name: "utf32", form: Form::Utf32 },
];
