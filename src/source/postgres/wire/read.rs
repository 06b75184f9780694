//! Reading the protocol's primitive types from a slice.
//!
//! In: bytes of one message. Out: integers, strings and slices that borrow from them. Promised: never reads past the end,
//! never panics. Source: PostgreSQL manual, "Message Data Types"; integers are in network order.

use super::WireError;

/// A slice that is consumed from the front; knows the message it belongs to, for its errors.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    message: &'static str,
}

impl<'a> Reader<'a> {
    /// Begins at the front of `bytes`, which hold a `message`.
    pub fn new(message: &'static str, bytes: &'a [u8]) -> Self {
        Self { rest: bytes, message }
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// True when everything has been read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// An error of this message.
    pub fn malformed(&self, reason: &'static str) -> WireError {
        WireError::Malformed { message: self.message, reason }
    }

    fn truncated(&self, field: &'static str) -> WireError {
        WireError::Truncated { message: self.message, field }
    }

    /// `count` bytes.
    pub fn take(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| self.truncated(field))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], WireError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.truncated(field))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// One byte.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, WireError> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    /// Two bytes.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, WireError> {
        self.array(field).map(u16::from_be_bytes)
    }

    /// Four bytes.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, WireError> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// Four bytes with a sign.
    pub fn i32(&mut self, field: &'static str) -> Result<i32, WireError> {
        self.array(field).map(i32::from_be_bytes)
    }

    /// Eight bytes.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, WireError> {
        self.array(field).map(u64::from_be_bytes)
    }

    /// Eight bytes with a sign.
    pub fn i64(&mut self, field: &'static str) -> Result<i64, WireError> {
        self.array(field).map(i64::from_be_bytes)
    }

    /// Bytes up to a zero byte, which is consumed but not returned.
    pub fn until_nul(&mut self, field: &'static str) -> Result<&'a [u8], WireError> {
        let end = self.rest.iter().position(|byte| *byte == 0).ok_or_else(|| self.truncated(field))?;
        let text = self.take(end, field)?;
        self.u8(field)?;
        Ok(text)
    }

    /// Text up to a zero byte.
    pub fn text(&mut self, field: &'static str) -> Result<&'a str, WireError> {
        let bytes = self.until_nul(field)?;
        std::str::from_utf8(bytes).map_err(|_| self.malformed("a name in it is not UTF-8"))
    }
}
