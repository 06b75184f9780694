//! BINARY, VARBINARY and BLOB: bytes, or text by `binary.handling.mode`.
//!
//! The server takes the zero bytes off the end of a BINARY(n); they are put back, as Debezium does.

use super::charset::BINARY_COLLATION;
use super::compressed::Compressed;
use super::default_value;
use super::plan::{Context, Decode, Fallback, Plan};
use super::{CodecError, wire_type};
use crate::model::modes::BinaryHandlingMode;
use crate::model::value::{Arena, ValueError, ValueRef};
use crate::source::codec::binary::{binary_schema, binary_value, encoded};

#[derive(Clone, Copy, Debug)]
struct Binary {
    mode: BinaryHandlingMode,
    /// The length to fill up to.
    pad: usize,
}

impl Decode for Binary {
    #[inline]
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let bytes = if cell.len() < self.pad {
            let zeros = std::iter::repeat_n(0, self.pad - cell.len());
            let mut padded = bumpalo::collections::Vec::with_capacity_in(self.pad, arena);
            padded.extend(cell.iter().copied().chain(zeros));
            padded.into_bump_slice()
        } else {
            cell
        };
        binary_value(self.mode, bytes, arena)
    }
}

/// All binary types.
pub(super) fn binary(context: &Context<'_>) -> Result<Plan, CodecError> {
    if context.wire.collation.is_some_and(|collation| collation != BINARY_COLLATION) {
        return Err(context.mismatch());
    }
    let mode = context.options.binary;
    let schema = binary_schema(mode);
    let length = context.column.length.and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let pad = if context.type_name.base == "BINARY" { length.min(255) } else { 0 };
    let decoder = Binary { mode, pad };
    let fallback = Fallback::Scalar(encoded(mode, &[]));
    let default = move |text: &str| Ok(Some(encoded(mode, default_value::without_introducer(text).as_bytes())));
    let compressed = matches!(context.wire.wire_type, wire_type::BLOB_COMPRESSED | wire_type::VARCHAR_COMPRESSED);
    let plan = if compressed {
        Plan::new(schema, fallback, Compressed(decoder), default)
    } else {
        Plan::new(schema, fallback, decoder, default)
    };
    Ok(plan.with_placeholder(move |placeholder| encoded(mode, placeholder.as_bytes())))
}
