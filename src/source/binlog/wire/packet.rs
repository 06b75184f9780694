//! Packets: a header of four bytes, three of length and one of sequence, before every payload.
//!
//! In: stream bytes. Out: where whole packets lie in them. Promised: one pass, no copy, no allocation beyond
//! the caller's range list. A payload of 16 MiB − 1 is continued by the next packet; joining those needs the
//! caller's memory, so the splitter only reports them.
//!
//! ```text
//! 3 bytes length | 1 byte sequence | payload …        (a binlog packet's payload: 0x00, then the event)
//! ```

use super::WireError;
use super::read::Reader;

/// Bytes of a packet's header.
pub const HEADER_BYTES: usize = 4;
/// A payload of this many bytes is continued in the next packet.
pub const FULL_PAYLOAD_BYTES: usize = 0xff_ffff;
/// The longest joined payload accepted: `max_allowed_packet` ends at 1 GiB; a replication sender may add an
/// event header, a checksum and the status byte to it.
pub const PAYLOAD_LIMIT_BYTES: usize = (1 << 30) + (1 << 16);

/// A packet's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketHeader {
    /// Bytes of payload that follow.
    pub length: usize,
    /// Counts up from the command, modulo 256.
    pub sequence: u8,
}

impl PacketHeader {
    /// Reads a header; always succeeds, the bytes carry no redundancy.
    pub fn parse(bytes: [u8; HEADER_BYTES]) -> Self {
        let [a, b, c, sequence] = bytes;
        Self { length: u32::from_le_bytes([a, b, c, 0]) as usize, sequence }
    }
}

/// The number that the next packet must have.
///
/// Inside the compressed protocol servers start the inner numbers anew at every flush (`net_flush` of
/// `sql-common/net_serv.cc`), so there only the outer framing's numbers can be asserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// The next packet has this number.
    Next(u8),
    /// The framing around the packets is numbered instead.
    Unchecked,
}

impl Sequence {
    /// Asserts a packet's number and moves on.
    pub fn check(&mut self, found: u8) -> Result<(), WireError> {
        let Self::Next(expected) = self else {
            return Ok(());
        };
        if *expected != found {
            return Err(WireError::OutOfSequence { expected: *expected, found });
        }
        *expected = found.wrapping_add(1);
        Ok(())
    }
}

/// Appends `payload` as one packet, or as several where it is long, and moves the sequence number on.
pub fn put_packet(out: &mut Vec<u8>, payload: &[u8], sequence: &mut u8) {
    let mut rest = payload;
    loop {
        let (part, behind) = rest.split_at_checked(FULL_PAYLOAD_BYTES).unwrap_or((rest, &[]));
        let [a, b, c, _] = (part.len() as u32).to_le_bytes();
        out.extend_from_slice(&[a, b, c, *sequence]);
        out.extend_from_slice(part);
        *sequence = sequence.wrapping_add(1);
        rest = behind;
        // A payload that fills its last packet exactly is ended by an empty one.
        if part.len() < FULL_PAYLOAD_BYTES {
            return;
        }
    }
}

/// Where one event lies in a block: the raw event bytes, header and checksum included, without the
/// packet's header and status byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketRange {
    /// First byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
}

impl PacketRange {
    /// The event's bytes in the block it was cut from; `None` when it is another block.
    pub fn of(self, block: &[u8]) -> Option<&[u8]> {
        block.get(self.start as usize..self.end as usize)
    }
}

/// Why [`split_events`] stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The bytes end inside a packet that needs this many bytes in all, its header included (at least 4).
    Partial {
        /// Bytes of the whole packet, as far as known.
        needed: usize,
    },
    /// The packet at the front has a payload of 16 MiB − 1 and is continued in the next one.
    Continued,
    /// A packet that is no event lies here: ERR or EOF. Its payload's range.
    Control(PacketRange),
}

/// Splits the packets of a binlog stream that lie whole in `bytes` from `*at` on, and moves `*at` behind
/// them. Every packet must begin with the status byte 0x00, which is left out of its range. Ranges are
/// relative to `bytes`, which must be shorter than 4 GiB.
pub fn split_events(
    bytes: &[u8],
    at: &mut usize,
    sequence: &mut Sequence,
    events: &mut Vec<PacketRange>,
) -> Result<Split, WireError> {
    loop {
        let rest = bytes.get(*at..).unwrap_or_default();
        let Some((header, payload)) = rest.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(Split::Partial { needed: HEADER_BYTES });
        };
        let header = PacketHeader::parse(*header);
        // Asserted before the payload is waited for: a length that is not the server's may be as much as comes in an hour.
        let mut next = *sequence;
        next.check(header.sequence)?;
        if header.length == FULL_PAYLOAD_BYTES {
            return Ok(Split::Continued);
        }
        let Some(payload) = payload.get(..header.length) else {
            return Ok(Split::Partial { needed: HEADER_BYTES + header.length });
        };
        *sequence = next;
        let start = *at + HEADER_BYTES;
        let end = start + header.length;
        *at = end;
        match payload.first() {
            Some(0x00) => events.push(PacketRange { start: start as u32 + 1, end: end as u32 }),
            Some(0xfe | 0xff) => {
                return Ok(Split::Control(PacketRange { start: start as u32, end: end as u32 }));
            }
            Some(_) => {
                return Err(WireError::Malformed {
                    message: "binlog packet",
                    reason: "its status byte is none of 0x00, 0xFE and 0xFF",
                });
            }
            None => {
                return Err(WireError::Malformed { message: "binlog packet", reason: "it is empty" });
            }
        }
    }
}

/// A packet of the binlog stream that is no event.
#[derive(Debug, PartialEq, Eq)]
pub enum Control<'a> {
    /// ERR: its payload, for [`super::response::parse_error`].
    Error(&'a [u8]),
    /// EOF: the server has sent what it was asked for.
    End,
}

/// Tells ERR from EOF.
pub fn parse_control(payload: &[u8]) -> Result<Control<'_>, WireError> {
    match Reader::new("binlog packet", payload).u8("status byte")? {
        0xff => Ok(Control::Error(payload)),
        0xfe => Ok(Control::End),
        _ => Err(WireError::Malformed { message: "binlog packet", reason: "it is neither ERR nor EOF" }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn stream(payloads: &[&[u8]]) -> Vec<u8> {
        let (mut out, mut sequence) = (Vec::new(), 1);
        for payload in payloads {
            put_packet(&mut out, payload, &mut sequence);
        }
        out
    }

    fn check(bytes: &[u8], events: &[&[u8]], expected: Result<Split, WireError>) {
        let (mut at, mut sequence, mut ranges) = (0, Sequence::Next(1), Vec::new());
        assert_eq!(split_events(bytes, &mut at, &mut sequence, &mut ranges), expected);
        let found: Vec<_> = ranges.iter().map(|range| range.of(bytes).unwrap()).collect();
        assert_eq!(found, events);
    }

    #[test]
    fn whole_packets_are_found_wherever_the_bytes_end() {
        let bytes = stream(&[b"\0first", b"\0second event", b"\0"]);
        check(&bytes, &[b"first", b"second event", b""], Ok(Split::Partial { needed: 4 }));
        for end in 0..bytes.len() {
            let (mut at, mut sequence, mut ranges) = (0, Sequence::Next(1), Vec::new());
            let split = split_events(&bytes[..end], &mut at, &mut sequence, &mut ranges).unwrap();
            assert!(matches!(split, Split::Partial { needed } if at + needed <= bytes.len() && at + needed > end));
        }
    }

    #[test]
    fn packets_that_are_no_events_stop_the_split() {
        check(&stream(&[b"\0a", b"\xffxx"]), &[b"a"], Ok(Split::Control(PacketRange { start: 10, end: 13 })));
        check(&stream(&[b"\xfe"]), &[], Ok(Split::Control(PacketRange { start: 4, end: 5 })));
        check(&[0xff, 0xff, 0xff, 1, 0], &[], Ok(Split::Continued));
        let malformed = |reason| Err(WireError::Malformed { message: "binlog packet", reason });
        check(&stream(&[b"\x07"]), &[], malformed("its status byte is none of 0x00, 0xFE and 0xFF"));
        check(&stream(&[b""]), &[], malformed("it is empty"));
        check(&[1, 0, 0, 9, 0], &[], Err(WireError::OutOfSequence { expected: 1, found: 9 }));
        // Nobody waits for fifteen megabytes that are not the server's.
        check(&[0, 0, 0xf0, 9], &[], Err(WireError::OutOfSequence { expected: 1, found: 9 }));
    }

    #[test]
    fn sequence_numbers_wrap() {
        let payloads = vec![&b"\0x"[..]; 600];
        let bytes = stream(&payloads);
        check(&bytes, &vec![&b"x"[..]; 600], Ok(Split::Partial { needed: 4 }));
    }

    #[test]
    fn a_long_payload_is_written_as_continued_packets() {
        let payload = vec![7; FULL_PAYLOAD_BYTES + 3];
        let (mut out, mut sequence) = (Vec::new(), 0);
        put_packet(&mut out, &payload, &mut sequence);
        assert_eq!(sequence, 2);
        assert_eq!(out[..4], [0xff, 0xff, 0xff, 0]);
        assert_eq!(out[4 + FULL_PAYLOAD_BYTES..], [3, 0, 0, 1, 7, 7, 7]);
        let (mut out, mut sequence) = (Vec::new(), 0);
        put_packet(&mut out, &payload[..FULL_PAYLOAD_BYTES], &mut sequence);
        assert_eq!(out[4 + FULL_PAYLOAD_BYTES..], [0, 0, 0, 1]);
    }
}
