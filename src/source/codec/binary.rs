//! Bytes by `binary.handling.mode`: as they are, or as text.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::model::modes::BinaryHandlingMode;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, Value, ValueError, ValueRef};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The schema of bytes in a mode.
pub(crate) fn binary_schema(mode: BinaryHandlingMode) -> Schema {
    match mode {
        BinaryHandlingMode::Bytes => Schema::new(Kind::Bytes),
        BinaryHandlingMode::Base64 | BinaryHandlingMode::Base64UrlSafe | BinaryHandlingMode::Hex => {
            Schema::new(Kind::String)
        }
    }
}

/// Bytes in a mode, owned.
pub(crate) fn encoded(mode: BinaryHandlingMode, bytes: &[u8]) -> Value {
    match mode {
        BinaryHandlingMode::Bytes => Value::Bytes(bytes.into()),
        BinaryHandlingMode::Base64 => Value::text(&STANDARD.encode(bytes)),
        BinaryHandlingMode::Base64UrlSafe => Value::text(&URL_SAFE.encode(bytes)),
        BinaryHandlingMode::Hex => Value::text(&bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
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

/// Bytes in a mode, borrowed where they stay as they are.
#[inline]
pub(crate) fn binary_value<'a>(
    mode: BinaryHandlingMode,
    bytes: &'a [u8],
    arena: &'a Arena,
) -> Result<ValueRef<'a>, ValueError> {
    match mode {
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
