//! Reading the protocol's primitive types from a slice, and writing them to a buffer.
//!
//! In: bytes of one message. Out: integers, strings and slices that borrow from them. Promised: never reads
//! past the end, never panics. Source: MySQL internals manual, "Basic Types".

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

    /// Two bytes, little-endian.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, WireError> {
        self.array(field).map(u16::from_le_bytes)
    }

    /// Three bytes, little-endian.
    pub fn u24(&mut self, field: &'static str) -> Result<u32, WireError> {
        self.array::<3>(field).map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    /// Four bytes, little-endian.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, WireError> {
        self.array(field).map(u32::from_le_bytes)
    }

    /// Eight bytes, little-endian.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, WireError> {
        self.array(field).map(u64::from_le_bytes)
    }

    /// A length-encoded integer: 1, 3, 4 or 9 bytes. 0xFB (NULL) and 0xFF are no integers.
    pub fn length(&mut self, field: &'static str) -> Result<u64, WireError> {
        match self.u8(field)? {
            0xfc => self.u16(field).map(u64::from),
            0xfd => self.u24(field).map(u64::from),
            0xfe => self.u64(field),
            0xfb | 0xff => {
                Err(WireError::Malformed { message: self.message, reason: "a length begins with 0xFB or 0xFF" })
            }
            small => Ok(u64::from(small)),
        }
    }

    /// A string whose length stands before it as a length-encoded integer.
    pub fn string(&mut self, field: &'static str) -> Result<&'a [u8], WireError> {
        let length = self.length(field)?;
        // A length that does not fit in usize does not fit in the slice either.
        let length = usize::try_from(length).map_err(|_| self.truncated(field))?;
        self.take(length, field)
    }

    /// Like [`Reader::string`], with 0xFB for NULL: a value of the text protocol.
    pub fn nullable_string(&mut self, field: &'static str) -> Result<Option<&'a [u8]>, WireError> {
        if self.rest.first() == Some(&0xfb) {
            self.u8(field)?;
            return Ok(None);
        }
        self.string(field).map(Some)
    }

    /// Bytes up to a zero byte, which is consumed but not returned.
    pub fn until_nul(&mut self, field: &'static str) -> Result<&'a [u8], WireError> {
        let end = self.rest.iter().position(|byte| *byte == 0).ok_or_else(|| self.truncated(field))?;
        let text = self.take(end, field)?;
        self.u8(field)?;
        Ok(text)
    }

    /// Bytes up to a zero byte, or to the end where the server forgot it.
    pub fn until_nul_or_end(&mut self) -> &'a [u8] {
        let mut parts = self.rest.splitn(2, |byte| *byte == 0);
        let text = parts.next().unwrap_or_default();
        self.rest = parts.next().unwrap_or_default();
        text
    }
}

/// Writes a length-encoded integer.
pub fn put_length(out: &mut Vec<u8>, value: u64) {
    let [a, b, c, ..] = value.to_le_bytes();
    match value {
        0..=0xfa => out.push(a),
        0xfb..=0xffff => out.extend_from_slice(&[0xfc, a, b]),
        0x1_0000..=0xff_ffff => out.extend_from_slice(&[0xfd, a, b, c]),
        _ => {
            out.push(0xfe);
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

/// Writes a string with its length before it.
pub fn put_string(out: &mut Vec<u8>, text: &[u8]) {
    put_length(out, text.len() as u64);
    out.extend_from_slice(text);
}

/// Writes a string with a zero byte behind it. A zero byte inside would end it early, so it is cut there.
pub fn put_nul_string(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(text.iter().take_while(|byte| **byte != 0));
    out.push(0);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn lengths_survive_writing_and_reading() {
        for value in [0, 1, 0xfa, 0xfb, 0xfc, 0xffff, 0x1_0000, 0xff_ffff, 0x100_0000, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put_length(&mut out, value);
            let mut reader = Reader::new("test", &out);
            assert_eq!(reader.length("length").unwrap(), value);
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn a_string_longer_than_its_message_is_an_error() {
        for bytes in
            [&[5, b'a'][..], &[0xfe, 255, 255, 255, 255, 255, 255, 255, 255], &[0xfd, 1], &[0xfb], &[0xff], &[]]
        {
            assert!(Reader::new("test", bytes).string("text").is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn text_ends_at_its_zero_byte() {
        let mut reader = Reader::new("test", b"abc\0def");
        assert_eq!(reader.until_nul("text").unwrap(), b"abc");
        assert_eq!(reader.until_nul_or_end(), b"def");
        assert!(reader.is_empty());
        assert!(Reader::new("test", b"abc").until_nul("text").is_err());
    }
}
