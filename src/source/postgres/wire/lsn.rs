//! Log sequence numbers.

use std::fmt;
use std::str::FromStr;

/// A place in the write-ahead log: `pg_lsn`, a byte offset that only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(pub u64);

impl Lsn {
    /// No place: what the server calls `InvalidXLogRecPtr`.
    pub const INVALID: Lsn = Lsn(0);
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}

/// Text that is no LSN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a log sequence number such as 16/B374D848")]
pub struct LsnError;

impl FromStr for Lsn {
    type Err = LsnError;

    /// As PostgreSQL's `pg_lsn`: two hexadecimal numbers of one to eight digits with a slash between.
    fn from_str(text: &str) -> Result<Self, LsnError> {
        let (high, low) = text.split_once('/').ok_or(LsnError)?;
        let half = |digits: &str| {
            let valid = (1..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            if valid { u64::from_str_radix(digits, 16).map_err(|_| LsnError) } else { Err(LsnError) }
        };
        Ok(Lsn(half(high)? << 32 | half(low)?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn lsns_are_read_and_written_as_postgresql_does() {
        for (text, value) in
            [("0/0", 0), ("16/B374D848", 0x16_B374_D848), ("FFFFFFFF/FFFFFFFF", u64::MAX), ("0/14F1260", 0x14F_1260)]
        {
            assert_eq!(text.parse(), Ok(Lsn(value)));
            assert_eq!(Lsn(value).to_string(), text);
        }
        assert_eq!("16/b374d848".parse(), Ok(Lsn(0x16_B374_D848)));
        for text in ["", "/", "16", "16/", "/16", "0/123456789", "0/+1", "x/1", "1/1/1", " 0/1"] {
            assert_eq!(text.parse::<Lsn>(), Err(LsnError), "{text:?}");
        }
    }
}
