//! The frame around every message behind the start-up: a type byte, a length that counts itself, the body.

use super::WireError;

/// The type byte and the length.
pub const FRAME_HEADER_BYTES: usize = 5;

/// The longest body: a server makes no longer message than its `MaxAllocSize`, 1 GiB - 1.
pub const MESSAGE_LIMIT_BYTES: usize = 1 << 30;

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// The message's type.
    pub kind: u8,
    /// Bytes of the body.
    pub length: usize,
}

/// Reads a header. A body longer than `limit` is refused.
pub fn parse_frame(header: [u8; FRAME_HEADER_BYTES], limit: usize) -> Result<FrameHeader, WireError> {
    let [kind, length @ ..] = header;
    let total = i32::from_be_bytes(length);
    let length = usize::try_from(total)
        .ok()
        .and_then(|total| total.checked_sub(4))
        .ok_or(WireError::Malformed { message: "frame", reason: "its length is less than that of its header" })?;
    if length > limit {
        return Err(WireError::TooLong { length: length as u64, limit: limit as u64 });
    }
    Ok(FrameHeader { kind, length })
}
