//! A place in a slice: reads the integers and strings of MySQL's protocols, or says what is missing.
//!
//! In: bytes and the name of what they are. Out: values that borrow from them, or [`EventError::Truncated`].
//! Promise: never reads outside the slice, never panics, never allocates. Nothing survives a crash.

use super::error::EventError;

/// Reads forward through one event's body.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Begins at the first of `bytes`; `what` names them in errors.
    pub fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Reader { bytes, at: 0, what }
    }

    /// Bytes read so far.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Bytes not yet read.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// The error that says this value is not as its format demands.
    pub fn invalid(&self, reason: &'static str) -> EventError {
        EventError::Invalid { what: self.what, reason }
    }

    /// The next `count` bytes.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], EventError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match rest.get(..count) {
            Some(taken) => {
                self.at += count;
                Ok(taken)
            }
            None => Err(EventError::Truncated { what: self.what, at: self.at, needed: count, available: rest.len() }),
        }
    }

    /// The next `N` bytes as an array.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], EventError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at = self.bytes.len();
        rest
    }

    /// One byte.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, EventError> {
        Ok(self.array::<1>()?[0])
    }

    /// Two bytes, least significant first.
    #[inline]
    pub fn u16(&mut self) -> Result<u16, EventError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Four bytes, least significant first.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, EventError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Eight bytes, least significant first.
    #[inline]
    pub fn u64(&mut self) -> Result<u64, EventError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// `count` bytes (at most eight), least significant first.
    #[inline]
    pub fn uint(&mut self, count: usize) -> Result<u64, EventError> {
        let bytes = self.take(count)?;
        let mut wide = [0; 8];
        match wide.get_mut(..count) {
            Some(low) => low.copy_from_slice(bytes),
            None => return Err(self.invalid("an integer of more than eight bytes")),
        }
        Ok(u64::from_le_bytes(wide))
    }

    /// A length-encoded integer: one byte up to 250, or 252, 253, 254 and then two, three, eight bytes.
    #[inline]
    pub fn packed(&mut self) -> Result<u64, EventError> {
        match self.u8()? {
            small @ 0..=250 => Ok(u64::from(small)),
            252 => self.uint(2),
            253 => self.uint(3),
            254 => self.uint(8),
            251 | 255 => Err(self.invalid("a length-encoded integer that begins with 251 or 255")),
        }
    }

    /// A length-encoded integer that counts bytes or columns.
    #[inline]
    pub fn packed_length(&mut self) -> Result<usize, EventError> {
        let length = self.packed()?;
        usize::try_from(length).map_err(|_| self.invalid("a length beyond the address space"))
    }

    /// A length-encoded integer and that many bytes.
    pub fn packed_bytes(&mut self) -> Result<&'a [u8], EventError> {
        let length = self.packed_length()?;
        self.take(length)
    }

    /// One length byte, that many bytes, and a zero byte.
    pub fn name(&mut self) -> Result<&'a [u8], EventError> {
        let length = usize::from(self.u8()?);
        let name = self.take(length)?;
        if self.u8()? != 0 {
            return Err(self.invalid("a name that does not end with a zero byte"));
        }
        Ok(name)
    }

    /// The bytes up to a zero byte, which is consumed.
    pub fn until_zero(&mut self) -> Result<&'a [u8], EventError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match rest.iter().position(|byte| *byte == 0) {
            Some(length) => {
                let text = self.take(length)?;
                self.at += 1;
                Ok(text)
            }
            None => Err(EventError::Truncated {
                what: self.what,
                at: self.at,
                needed: rest.len() + 1,
                available: rest.len(),
            }),
        }
    }
}

/// Tests bit `index` of a bitmap whose first bit is the least significant of the first byte.
/// A bit beyond the bitmap is not set.
#[inline]
pub fn bit(bitmap: &[u8], index: usize) -> bool {
    bitmap.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
}

/// Bytes that a bitmap of `count` bits takes.
#[inline]
pub fn bitmap_length(count: usize) -> usize {
    count.div_ceil(8)
}

/// How many of the first `count` bits are set.
pub fn count_bits(bitmap: &[u8], count: usize) -> usize {
    (0..count).filter(|index| bit(bitmap, *index)).count()
}
