//! BOX, LSEG, PATH, POLYGON, CIRCLE and LINE, which Debezium does not know: with `include.unknown.datatypes` the text of
//! its JDBC driver, where every number is written as Java writes a double.

use super::Context;
use crate::model::modes::BinaryHandlingMode;
use crate::model::value::{Arena, ValueError, ValueRef};
use crate::source::codec::binary::binary_value;
use crate::source::codec::plan::Decode;
use crate::util::java_text;

/// Writes every number anew. Doubles have few digits: the text grows by two characters a number at most.
#[derive(Debug)]
struct Shape(BinaryHandlingMode);

fn of_number(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

impl Decode for Shape {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let mut out = Vec::with_capacity(cell.len() * 2);
        let mut rest = cell;
        while let Some(first) = rest.first() {
            let length = rest.iter().take_while(|byte| of_number(**byte)).count();
            let (number, behind) = rest.split_at_checked(length.max(1)).ok_or(ValueError::Shape)?;
            if length == 0 {
                out.push(*first);
            } else {
                java_text::write_f64(super::number::double_of(number, "shape")?, &mut out);
            }
            rest = behind;
        }
        binary_value(self.0, arena.alloc_slice_copy(&out), arena)
    }
}

/// A shape as text in bytes.
pub(super) fn shape(context: &Context<'_>) -> crate::source::codec::plan::Plan {
    super::binary::opaque_by(context, Shape(context.options.binary))
}
