//! BINARY, VARBINARY and BLOB: bytes, or text by `binary.handling.mode`.
//!
//! The server takes the zero bytes off the end of a BINARY(n); they are put back, as Debezium does.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use super::charset::BINARY_COLLATION;
use super::compressed::Compressed;
use super::default_value;
use super::plan::{Context, Decode, Fallback, Plan};
use super::{CodecError, wire_type};
use crate::model::modes::BinaryHandlingMode;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};

#[derive(Clone, Copy, Debug)]
struct Binary {
    mode: BinaryHandlingMode,
    /// The length to fill up to.
    pad: usize,
}

const HEX: &[u8; 16] = b"0123456789abcdef";

impl Binary {
    fn encoded(mode: BinaryHandlingMode, bytes: &[u8]) -> Value {
        match mode {
            BinaryHandlingMode::Bytes => Value::Bytes(bytes.into()),
            BinaryHandlingMode::Base64 => Value::text(&STANDARD.encode(bytes)),
            BinaryHandlingMode::Base64UrlSafe => Value::text(&URL_SAFE.encode(bytes)),
            BinaryHandlingMode::Hex => Value::text(&bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        }
    }
}

fn base64_text<'a>(engine: &impl Engine, bytes: &[u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
    let out = arena.alloc_slice_fill_copy(bytes.len().div_ceil(3) * 4, 0_u8);
    let length = engine.encode_slice(bytes, out).map_err(|_| ValueError::Shape)?;
    ascii_text(out.get(..length).unwrap_or_default())
}

fn ascii_text(bytes: &[u8]) -> Result<ValueRef<'_>, ValueError> {
    simdutf8::basic::from_utf8(bytes).map(ValueRef::String).map_err(|_| ValueError::Shape)
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
        match self.mode {
            BinaryHandlingMode::Bytes => Ok(ValueRef::Bytes(bytes)),
            BinaryHandlingMode::Base64 => base64_text(&STANDARD, bytes, arena),
            BinaryHandlingMode::Base64UrlSafe => base64_text(&URL_SAFE, bytes, arena),
            BinaryHandlingMode::Hex => {
                let out = arena.alloc_slice_fill_copy(bytes.len() * 2, 0_u8);
                for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
                    if let ([high, low], Some(h), Some(l)) =
                        (pair, HEX.get(usize::from(byte >> 4)), HEX.get(usize::from(byte & 15)))
                    {
                        (*high, *low) = (*h, *l);
                    }
                }
                ascii_text(out)
            }
        }
    }
}

/// All binary types.
pub(super) fn binary(context: &Context<'_>) -> Result<Plan, CodecError> {
    if context.wire.collation.is_some_and(|collation| collation != BINARY_COLLATION) {
        return Err(context.mismatch());
    }
    let mode = context.options.binary;
    let schema = match mode {
        BinaryHandlingMode::Bytes => Schema::new(Kind::Bytes),
        BinaryHandlingMode::Base64 | BinaryHandlingMode::Base64UrlSafe | BinaryHandlingMode::Hex => {
            Schema::new(Kind::String)
        }
    };
    let length = context.column.length.and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let pad = if context.type_name.base == "BINARY" { length.min(255) } else { 0 };
    let decoder = Binary { mode, pad };
    let fallback = Fallback::Scalar(Binary::encoded(mode, &[]));
    let default = move |text: &str| Ok(Some(Binary::encoded(mode, default_value::without_introducer(text).as_bytes())));
    let compressed = matches!(context.wire.wire_type, wire_type::BLOB_COMPRESSED | wire_type::VARCHAR_COMPRESSED);
    let plan = if compressed {
        Plan::new(schema, fallback, Compressed(decoder), default)
    } else {
        Plan::new(schema, fallback, decoder, default)
    };
    Ok(plan.with_placeholder(move |placeholder| Binary::encoded(mode, placeholder.as_bytes())))
}
