//! Names made legal in Avro, as `schema.name.adjustment.mode` and `field.name.adjustment.mode` ask.
//!
//! In: a schema's full name or a field's name. Out: the name that Debezium gives it. Source: Debezium's
//! `SchemaNameAdjuster` and its four replacement functions. Java looks at UTF-16 units, and so do we.

use crate::model::modes::SchemaNameAdjustmentMode;

/// What is named: the parts of a schema's full name are separated by dots, which a field's name may not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A schema, such as `server.db.table.Value`.
    Schema,
    /// A field.
    Field,
}

/// Zeros of the scripts that have digits of their own in Java's basic plane (`Character.isDigit`); nine follow each.
const ZEROS: &[u16] = &[
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6,
    0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
    0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

fn is_digit(unit: u16) -> bool {
    ZEROS.iter().any(|zero| (*zero..=*zero + 9).contains(&unit))
}

/// A name, adjusted.
pub fn adjusted(name: &str, mode: SchemaNameAdjustmentMode, named: Named) -> String {
    let unicode = match mode {
        SchemaNameAdjustmentMode::None => return name.to_owned(),
        SchemaNameAdjustmentMode::Avro => false,
        SchemaNameAdjustmentMode::AvroUnicode => true,
    };
    let mut adjusted = String::with_capacity(name.len() + 1);
    for (index, unit) in name.encode_utf16().enumerate() {
        let ascii = u8::try_from(unit).ok().filter(u8::is_ascii).map(char::from);
        let is_legal = |c: &char| {
            // The underscore begins an escape where there are escapes.
            let first = c.is_ascii_alphabetic() || (*c == '_' && !unicode);
            first || (index > 0 && (c.is_ascii_digit() || (*c == '.' && named == Named::Schema)))
        };
        match ascii.filter(is_legal) {
            Some(legal) => adjusted.push(legal),
            None if unicode => {
                // Two zeros before one or two digits, none before three: as Debezium pads.
                let zeros = if unit <= 0xff { "00" } else { "" };
                adjusted.push_str(&format!("_u{zeros}{unit:x}"));
            }
            None => {
                adjusted.push('_');
                // Kept, so that names that differ in it still differ.
                if index == 0 && is_digit(unit) {
                    adjusted.extend(char::from_u32(unit.into()));
                }
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
        let check = |name: &str, named: Named, avro: &str, unicode: &str| {
            assert_eq!(adjusted(name, SchemaNameAdjustmentMode::None, named), name);
            assert_eq!(adjusted(name, SchemaNameAdjustmentMode::Avro, named), avro, "{name}");
            assert_eq!(adjusted(name, SchemaNameAdjustmentMode::AvroUnicode, named), unicode, "{name}");
        };
        check("plain9", Named::Field, "plain9", "plain9");
        check("a_b", Named::Field, "a_b", "a_u005fb");
        check("a.b-c", Named::Field, "a_b_c", "a_u002eb_u002dc");
        check("a-b.9c.Value", Named::Schema, "a_b.9c.Value", "a_u002db.9c.Value");
        check(".a", Named::Schema, "_a", "_u002ea");
        check("1st", Named::Field, "_1st", "_u0031st");
        check("9a.b", Named::Schema, "_9a.b", "_u0039a.b");
        check("a\t", Named::Schema, "a_", "a_u009");
        check("ä", Named::Field, "_", "_u00e4");
        check("ő.b", Named::Schema, "_.b", "_u151.b");
        check("٣x", Named::Schema, "_٣x", "_u663x");
        // Numbers, but no digits.
        check("²x", Named::Field, "_x", "_u00b2x");
        check("😀", Named::Field, "__", "_ud83d_ude00");
        check("", Named::Schema, "", "");
    }
}
