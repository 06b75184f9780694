//! What the client sends. Promised: text with a zero byte inside is refused where it would end a field early.

use super::{Lsn, WireError};

/// Asks whether the server speaks TLS (`SSLRequest`); the answer is one byte.
pub const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Protocol 3.0.
const PROTOCOL_VERSION: u32 = 3 << 16;

fn framed(kind: u8, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = vec![kind, 0, 0, 0, 0];
    body(&mut out);
    let length = (out.len() - 1) as u32;
    if let Some(place) = out.get_mut(1..5) {
        place.copy_from_slice(&length.to_be_bytes());
    }
    out
}

fn put_text(out: &mut Vec<u8>, message: &'static str, text: &str) -> Result<(), WireError> {
    if text.as_bytes().contains(&0) {
        return Err(WireError::Malformed { message, reason: "a zero byte inside a text" });
    }
    out.extend_from_slice(text.as_bytes());
    out.push(0);
    Ok(())
}

/// `StartupMessage`: the user and the settings of the session.
pub fn startup<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Vec<u8>, WireError> {
    let mut out = vec![0; 4];
    out.extend_from_slice(&PROTOCOL_VERSION.to_be_bytes());
    for (name, value) in parameters {
        put_text(&mut out, "StartupMessage", name)?;
        put_text(&mut out, "StartupMessage", value)?;
    }
    out.push(0);
    let length = out.len() as u32;
    if let Some(place) = out.get_mut(..4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
    Ok(out)
}

/// `PasswordMessage`: a password, or its hash.
pub fn password(text: &[u8]) -> Result<Vec<u8>, WireError> {
    if text.contains(&0) {
        return Err(WireError::Malformed { message: "PasswordMessage", reason: "a zero byte inside the password" });
    }
    Ok(framed(b'p', |out| {
        out.extend_from_slice(text);
        out.push(0);
    }))
}

/// `SASLInitialResponse`.
pub fn sasl_initial_response(mechanism: &str, response: &[u8]) -> Vec<u8> {
    framed(b'p', |out| {
        out.extend_from_slice(mechanism.as_bytes());
        out.push(0);
        out.extend_from_slice(&(response.len() as u32).to_be_bytes());
        out.extend_from_slice(response);
    })
}

/// `SASLResponse`.
pub fn sasl_response(response: &[u8]) -> Vec<u8> {
    framed(b'p', |out| out.extend_from_slice(response))
}

/// `Query`: a statement of the simple query protocol.
pub fn query(sql: &str) -> Result<Vec<u8>, WireError> {
    if sql.as_bytes().contains(&0) {
        return Err(WireError::Malformed { message: "Query", reason: "a zero byte inside the statement" });
    }
    Ok(framed(b'Q', |out| {
        out.extend_from_slice(sql.as_bytes());
        out.push(0);
    }))
}

/// `Terminate`.
pub fn terminate() -> Vec<u8> {
    framed(b'X', |_| {})
}

/// A standby status update inside `CopyData`: what was received, and what the server may forget. `time_us` counts
/// microseconds since 2000-01-01; with `reply` the server answers with a keep-alive.
pub fn standby_status_update(written: Lsn, flushed: Lsn, time_us: i64, reply: bool) -> Vec<u8> {
    framed(b'd', |out| {
        out.push(b'r');
        // What is flushed here is applied too: nothing is read from this side.
        for lsn in [written, flushed, flushed] {
            out.extend_from_slice(&lsn.0.to_be_bytes());
        }
        out.extend_from_slice(&time_us.to_be_bytes());
        out.push(u8::from(reply));
    })
}

/// `CopyDone`: the stream ends from this side.
pub fn copy_done() -> Vec<u8> {
    framed(b'c', |_| {})
}
