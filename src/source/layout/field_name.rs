//! `field.name.adjustment.mode`: names of fields that Avro allows.
//!
//! Source: Debezium's `SchemaNameAdjuster`, `FieldNameUnderscoreReplacementFunction` and
//! `FieldNameUnicodeReplacementFunction`. Java looks at UTF-16 units, and so do we.

use crate::model::modes::SchemaNameAdjustmentMode;

/// A field's name, adjusted.
pub(super) fn adjusted(name: &str, mode: SchemaNameAdjustmentMode) -> String {
    match mode {
        SchemaNameAdjustmentMode::None => name.to_owned(),
        SchemaNameAdjustmentMode::Avro => underscored(name),
        SchemaNameAdjustmentMode::AvroUnicode => escaped(name),
    }
}

/// `_` for what is not allowed; a digit in the first place is kept behind it.
fn underscored(name: &str) -> String {
    let mut adjusted = String::with_capacity(name.len() + 1);
    for (index, character) in name.chars().enumerate() {
        let legal = character.is_ascii_alphabetic() || character == '_' || (index > 0 && character.is_ascii_digit());
        if legal {
            adjusted.push(character);
            continue;
        }
        for _ in 0..character.len_utf16() {
            adjusted.push('_');
        }
        if index == 0 && character.is_numeric() && character.len_utf16() == 1 {
            adjusted.push(character);
        }
    }
    adjusted
}

/// `_u` and the digits of the code for what is not allowed, the underscore included.
fn escaped(name: &str) -> String {
    let mut adjusted = String::with_capacity(name.len() + 5);
    for (index, unit) in name.encode_utf16().enumerate() {
        match char::from_u32(unit.into()) {
            Some(c) if c.is_ascii_alphabetic() || (index > 0 && c.is_ascii_digit()) => adjusted.push(c),
            _ => {
                // Two zeros before one or two digits, none before three: as Debezium pads.
                let zeros = if unit <= 0xff { "00" } else { "" };
                adjusted.push_str(&format!("_u{zeros}{unit:x}"));
            }
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_adjusted_as_debezium_does() {
        let check = |name: &str, avro: &str, unicode: &str| {
            assert_eq!(adjusted(name, SchemaNameAdjustmentMode::None), name);
            assert_eq!(adjusted(name, SchemaNameAdjustmentMode::Avro), avro);
            assert_eq!(adjusted(name, SchemaNameAdjustmentMode::AvroUnicode), unicode);
        };
        check("plain9", "plain9", "plain9");
        check("a_b", "a_b", "a_u005fb");
        check("a.b-c", "a_b_c", "a_u002eb_u002dc");
        check("1st", "_1st", "_u0031st");
        check("ä", "_", "_u00e4");
        check("ő", "_", "_u151");
        check("😀", "__", "_ud83d_ude00");
    }
}
