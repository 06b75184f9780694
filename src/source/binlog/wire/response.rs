//! OK, ERR and EOF packets.
//!
//! In: a payload. Out: what the server answered. Promised: text that is not UTF-8 is shown with replacement
//! characters, never refused: an error message must reach the person.
//! Source: MySQL internals manual, "OK_Packet", "ERR_Packet", "EOF_Packet".

use std::fmt;

use super::WireError;
use super::read::Reader;

/// A server's refusal: number, SQL state and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerError {
    /// The server's error number, such as 1045.
    pub number: u16,
    /// Five characters, or empty where the server sends none (before the handshake).
    pub sql_state: String,
    /// The server's own words.
    pub message: String,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sql_state.is_empty() {
            return write!(f, "ERROR {}: {}", self.number, self.message);
        }
        write!(f, "ERROR {} ({}): {}", self.number, self.sql_state, self.message)
    }
}

/// Reads an ERR packet, its first byte 0xFF included. The SQL state is missing in errors that come before
/// the handshake (too many connections, host blocked).
pub fn parse_error(payload: &[u8]) -> Result<ServerError, WireError> {
    let mut reader = Reader::new("ERR packet", payload);
    if reader.u8("marker")? != 0xff {
        return Err(WireError::Malformed { message: "ERR packet", reason: "it does not begin with 0xFF" });
    }
    let number = reader.u16("error number")?;
    let mut sql_state = String::new();
    if reader.rest().first() == Some(&b'#') {
        reader.u8("state marker")?;
        sql_state = String::from_utf8_lossy(reader.take(5, "SQL state")?).into_owned();
    }
    let message = String::from_utf8_lossy(reader.rest()).into_owned();
    Ok(ServerError { number, sql_state, message })
}

/// What an OK packet says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OkPacket {
    /// Rows changed by the statement.
    pub affected_rows: u64,
    /// Status flags: see [`MORE_RESULTS`].
    pub status: u16,
}

/// Status flag: another result follows this one.
pub const MORE_RESULTS: u16 = 0x0008;

/// Reads an OK packet (first byte 0x00, or 0xFE where it ends rows).
pub fn parse_ok(payload: &[u8]) -> Result<OkPacket, WireError> {
    let mut reader = Reader::new("OK packet", payload);
    if !matches!(reader.u8("marker")?, 0x00 | 0xfe) {
        return Err(WireError::Malformed { message: "OK packet", reason: "it begins with neither 0x00 nor 0xFE" });
    }
    let affected_rows = reader.length("affected rows")?;
    reader.length("last insert id")?;
    let status = reader.u16("status flags")?;
    Ok(OkPacket { affected_rows, status })
}

/// Reads an EOF packet (0xFE and fewer than nine bytes in all): its status flags.
pub fn parse_eof(payload: &[u8]) -> Result<u16, WireError> {
    let mut reader = Reader::new("EOF packet", payload);
    if reader.u8("marker")? != 0xfe || payload.len() >= 9 {
        return Err(WireError::Malformed { message: "EOF packet", reason: "it is not one" });
    }
    reader.u16("warnings")?;
    reader.u16("status flags")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn errors_are_read_with_and_without_a_state() {
        let error = parse_error(b"\xff\x15\x04#28000Access denied").unwrap();
        assert_eq!(error.to_string(), "ERROR 1045 (28000): Access denied");
        let error = parse_error(b"\xff\x10\x04Too many connections").unwrap();
        assert_eq!(error.to_string(), "ERROR 1040: Too many connections");
        assert_eq!(parse_error(b"\xff\x10\x04\xff\xfe").unwrap().message, "\u{fffd}\u{fffd}");
        assert!(parse_error(b"\xff\x10").is_err());
        assert!(parse_error(b"\xff\x10\x04#12").is_err());
    }

    #[test]
    fn ok_and_eof_give_their_status() {
        assert_eq!(parse_ok(b"\0\x03\0\x0a\0\0\0").unwrap(), OkPacket { affected_rows: 3, status: 10 });
        assert_eq!(parse_eof(b"\xfe\0\0\x08\0").unwrap(), MORE_RESULTS);
        assert!(parse_eof(b"\xfe\0\0\x08\0\0\0\0\0\0").is_err());
        assert!(parse_ok(b"\x05").is_err());
    }
}
