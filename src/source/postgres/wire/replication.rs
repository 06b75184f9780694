//! What a walsender puts into `CopyData`: pieces of the log, and keep-alives.

use std::ops::Range;

use super::frame::{FRAME_HEADER_BYTES, MESSAGE_LIMIT_BYTES, parse_frame};
use super::{Lsn, Reader, WireError};

/// One message of the output plugin (`XLogData`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalMessage {
    /// Where in the log it stands.
    pub start_lsn: Lsn,
    /// The end of the log as the walsender knows it; for logical decoding the same as `start_lsn`.
    pub end_lsn: Lsn,
    /// The server's clock when it was sent: microseconds since 2000-01-01.
    pub server_time_us: i64,
    /// Where its payload lies in the block.
    pub range: Range<u32>,
}

impl WalMessage {
    /// The payload.
    pub fn payload<'a>(&self, block: &'a [u8]) -> Option<&'a [u8]> {
        block.get(self.range.start as usize..self.range.end as usize)
    }
}

/// What keep-alives have said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keepalive {
    /// Everything that was committed before this has been sent.
    pub end_lsn: Lsn,
    /// The server wants an answer soon.
    pub reply_requested: bool,
}

/// Why splitting stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Split {
    /// The message at the place holds this many bytes, header included, and not all of them are there.
    Partial {
        /// Bytes.
        needed: usize,
    },
    /// A message that is no `CopyData`; it has been consumed.
    Other {
        /// Its type.
        kind: u8,
        /// Where its body lies.
        body: Range<usize>,
    },
}

/// Bytes in front of the payload: `w`, start, end, time.
const WAL_HEADER_BYTES: usize = 25;

/// Finds the whole messages from `at` on, and moves `at` behind them. Keep-alives are joined in `keepalive`.
pub fn split_copy_data(
    bytes: &[u8],
    at: &mut usize,
    messages: &mut Vec<WalMessage>,
    keepalive: &mut Option<Keepalive>,
) -> Result<Split, WireError> {
    loop {
        let rest = bytes.get(*at..).unwrap_or_default();
        let Some(header) = rest.first_chunk::<FRAME_HEADER_BYTES>() else {
            return Ok(Split::Partial { needed: FRAME_HEADER_BYTES });
        };
        let header = parse_frame(*header, MESSAGE_LIMIT_BYTES)?;
        let needed = FRAME_HEADER_BYTES + header.length;
        let Some(body) = rest.get(FRAME_HEADER_BYTES..needed) else {
            return Ok(Split::Partial { needed });
        };
        let start = *at + FRAME_HEADER_BYTES;
        *at += needed;
        if header.kind != b'd' {
            return Ok(Split::Other { kind: header.kind, body: start..*at });
        }
        let mut reader = Reader::new("CopyData", body);
        match reader.u8("type")? {
            b'w' => {
                let (start_lsn, end_lsn) = (Lsn(reader.u64("start")?), Lsn(reader.u64("end")?));
                let server_time_us = reader.i64("time")?;
                // A block is never longer than u32 holds: one message of at most 1 GiB, or a few megabytes.
                let range = (start + WAL_HEADER_BYTES) as u32..*at as u32;
                messages.push(WalMessage { start_lsn, end_lsn, server_time_us, range });
            }
            b'k' => {
                let end_lsn = Lsn(reader.u64("end")?);
                reader.i64("time")?;
                let reply_requested = reader.u8("reply")? != 0;
                let heard = keepalive.get_or_insert_default();
                heard.end_lsn = heard.end_lsn.max(end_lsn);
                heard.reply_requested |= reply_requested;
            }
            _ => return Err(reader.malformed("it is neither a piece of the log nor a keep-alive")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut out = vec![kind];
        out.extend(((body.len() + 4) as u32).to_be_bytes());
        out.extend(body);
        out
    }

    fn wal(lsn: u64, payload: &[u8]) -> Vec<u8> {
        let mut body = vec![b'w'];
        body.extend(lsn.to_be_bytes());
        body.extend((lsn + 1).to_be_bytes());
        body.extend(7_i64.to_be_bytes());
        body.extend(payload);
        frame(b'd', &body)
    }

    fn keepalive(lsn: u64, reply: u8) -> Vec<u8> {
        let mut body = vec![b'k'];
        body.extend(lsn.to_be_bytes());
        body.extend(7_i64.to_be_bytes());
        body.push(reply);
        frame(b'd', &body)
    }

    #[test]
    fn messages_are_found_at_every_cut() {
        let stream = [wal(10, b"one"), keepalive(12, 1), wal(20, b""), keepalive(11, 0), wal(30, b"three")].concat();
        for cut in 0..=stream.len() {
            let (mut at, mut messages, mut heard) = (0, Vec::new(), None);
            let split = split_copy_data(&stream[..cut], &mut at, &mut messages, &mut heard).unwrap();
            let Split::Partial { needed } = split else { panic!() };
            assert!(at <= cut && at + needed > cut);
            split_copy_data(&stream, &mut at, &mut messages, &mut heard).unwrap();
            let payloads: Vec<&[u8]> = messages.iter().map(|message| message.payload(&stream).unwrap()).collect();
            assert_eq!(payloads, [&b"one"[..], b"", b"three"]);
            assert_eq!(messages[2].start_lsn, Lsn(30));
            assert_eq!(heard, Some(Keepalive { end_lsn: Lsn(12), reply_requested: true }));
        }
    }

    #[test]
    fn what_is_no_copy_data_is_handed_out() {
        let stream = [wal(10, b"one"), frame(b'C', b"COPY 0\0")].concat();
        let (mut at, mut messages, mut heard) = (0, Vec::new(), None);
        let split = split_copy_data(&stream, &mut at, &mut messages, &mut heard).unwrap();
        let Split::Other { kind: b'C', body } = split else { panic!("{split:?}") };
        assert_eq!((&stream[body], at, messages.len()), (&b"COPY 0\0"[..], stream.len(), 1));
    }

    #[test]
    fn absurd_frames_are_errors() {
        for bytes in [
            frame(b'd', b""),
            frame(b'd', b"x"),
            frame(b'd', b"w1234567"),
            frame(b'd', b"k12345678"),
            vec![b'd', 0, 0, 0, 3, 0],
            vec![b'd', 0xff, 0xff, 0xff, 0xff, 0],
            vec![b'd', 0x7f, 0xff, 0xff, 0xff, 0],
        ] {
            let (mut at, mut messages, mut heard) = (0, Vec::new(), None);
            assert!(split_copy_data(&bytes, &mut at, &mut messages, &mut heard).is_err(), "{bytes:?}");
        }
    }
}
