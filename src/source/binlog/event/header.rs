//! The 19 bytes before every event, and the CRC32 behind it.
//!
//! In: one whole event. Out: [`EventHeader`], or why these bytes are no event. Promise: an event whose length
//! field does not equal its bytes never gets further than this. Nothing survives a crash.
//!
//! Source: MySQL internals manual, "Event Header" (v4); MariaDB, "Binlog event header".

use std::sync::LazyLock;

use super::error::EventError;
use super::event_type::FORMAT_DESCRIPTION_EVENT;

/// Bytes in the header of a version 4 event.
pub const HEADER_LENGTH: usize = 19;

/// Bytes of the CRC32 behind an event.
pub const CHECKSUM_LENGTH: usize = 4;

/// `LOG_EVENT_BINLOG_IN_USE_F`: the file was not closed; set in the format description event, not in its checksum.
pub const FLAG_BINLOG_IN_USE: u16 = 0x0001;

/// `LOG_EVENT_ARTIFICIAL_F`: made by the dump thread, not in the file (the "fake" rotate).
pub const FLAG_ARTIFICIAL: u16 = 0x0020;

/// `LOG_EVENT_IGNORABLE_F`: whoever does not know the type may skip the event.
pub const FLAG_IGNORABLE: u16 = 0x0080;

/// Where the flags stand in the header.
const FLAGS_OFFSET: usize = 17;

/// The header of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventHeader {
    /// When the statement began on the server, in seconds since 1970; 0 in artificial events.
    pub timestamp: u32,
    /// The type byte; `event_type` has the names.
    pub event_type: u8,
    /// `server_id` of the server on which the event originated.
    pub server_id: u32,
    /// Bytes of the event with header and checksum.
    pub event_size: u32,
    /// Position in the binlog file behind the event; 0 in artificial events. Wraps at 4 GiB.
    pub next_position: u32,
    /// `LOG_EVENT_*_F`.
    pub flags: u16,
}

impl EventHeader {
    /// Reads the header at the start of `bytes`, which may go on with anything.
    ///
    /// Errors: [`EventError::Truncated`] below 19 bytes, [`EventError::Length`] when `event_size` is below 19.
    #[inline(always)]
    pub fn parse(bytes: &[u8]) -> Result<Self, EventError> {
        let Some(header) = bytes.first_chunk::<HEADER_LENGTH>() else {
            return Err(EventError::Truncated {
                what: "event header",
                at: 0,
                needed: HEADER_LENGTH,
                available: bytes.len(),
            });
        };
        let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let header = EventHeader {
            timestamp: word(0),
            event_type: header[4],
            server_id: word(5),
            event_size: word(9),
            next_position: word(13),
            flags: u16::from_le_bytes([header[FLAGS_OFFSET], header[FLAGS_OFFSET + 1]]),
        };
        if (header.event_size as usize) < HEADER_LENGTH {
            return Err(header.length_error(bytes.len()));
        }
        Ok(header)
    }

    /// Reads the header of `event`, which must be one whole event and nothing else.
    ///
    /// Errors: as [`EventHeader::parse`], and [`EventError::Length`] when `event_size` is not the length of `event`.
    #[inline(always)]
    pub fn of(event: &[u8]) -> Result<Self, EventError> {
        // No `?`: a header that goes through a result's memory is read back before its fields have arrived there.
        match EventHeader::parse(event) {
            Ok(header) if header.event_size as usize == event.len() => Ok(header),
            Ok(header) => Err(header.length_error(event.len())),
            Err(error) => Err(error),
        }
    }

    /// Whether the event was made by the dump thread and is in no file.
    pub fn is_artificial(&self) -> bool {
        self.flags & FLAG_ARTIFICIAL != 0
    }

    /// Whether the event may be skipped by who does not know its type.
    pub fn is_ignorable(&self) -> bool {
        self.flags & FLAG_IGNORABLE != 0
    }

    #[cold]
    fn length_error(&self, actual: usize) -> EventError {
        EventError::Length { event_type: self.event_type, declared: self.event_size, actual }
    }
}

/// `BINLOG_CHECKSUM_ALG_*`: what stands behind each event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ChecksumAlgorithm {
    /// Nothing.
    #[default]
    None,
    /// Four bytes of CRC32 (the polynomial of zlib) over all before them, least significant first.
    Crc32,
}

impl ChecksumAlgorithm {
    /// From the byte in the format description event: 0 none, 1 CRC32, 255 a server that knows no checksums.
    pub fn from_byte(byte: u8) -> Result<Self, EventError> {
        match byte {
            0 | 255 => Ok(ChecksumAlgorithm::None),
            1 => Ok(ChecksumAlgorithm::Crc32),
            other => Err(EventError::ChecksumAlgorithm(other)),
        }
    }

    /// Bytes behind each event.
    pub fn length(self) -> usize {
        match self {
            ChecksumAlgorithm::None => 0,
            ChecksumAlgorithm::Crc32 => CHECKSUM_LENGTH,
        }
    }
}

/// Checks the CRC32 at the end of one whole event, if events have one.
///
/// Events inside a transaction payload have none. Errors: [`EventError::Checksum`]; those of [`EventHeader::of`] for bytes
/// that are no event, unless there are enough of them and the last four are the checksum of the others.
#[inline]
pub fn verify_checksum(event: &[u8], algorithm: ChecksumAlgorithm) -> Result<(), EventError> {
    match algorithm {
        ChecksumAlgorithm::None => Ok(()),
        ChecksumAlgorithm::Crc32 => verify_crc32(event),
    }
}

#[inline]
fn verify_crc32(event: &[u8]) -> Result<(), EventError> {
    match event.split_last_chunk::<CHECKSUM_LENGTH>() {
        Some((content, stored)) if event.len() >= HEADER_LENGTH && crc32(content) == u32::from_le_bytes(*stored) => {
            Ok(())
        }
        _ => refused_crc32(event),
    }
}

/// Why a checksum does not match; there is one that may not.
#[cold]
fn refused_crc32(event: &[u8]) -> Result<(), EventError> {
    let header = EventHeader::of(event)?;
    let Some((content, stored)) = event.split_last_chunk::<CHECKSUM_LENGTH>() else {
        return Err(header.length_error(event.len()));
    };
    let stored = u32::from_le_bytes(*stored);
    let in_use = header.event_type == FORMAT_DESCRIPTION_EVENT && header.flags & FLAG_BINLOG_IN_USE != 0;
    let computed = if in_use { crc32_without_in_use(content) } else { crc32(content) };
    if computed == stored {
        return Ok(());
    }
    let EventHeader { event_type, next_position, .. } = header;
    Err(EventError::Checksum { event_type, next_position, stored, computed })
}

/// What the processor can do is asked once: small events come by the million.
fn crc32(content: &[u8]) -> u32 {
    static FRESH: LazyLock<crc32fast::Hasher> = LazyLock::new(crc32fast::Hasher::new);
    let mut hasher = FRESH.clone();
    hasher.update(content);
    hasher.finalize()
}

/// The server sets the in-use flag in a file after it wrote the checksum.
fn crc32_without_in_use(content: &[u8]) -> u32 {
    let (before, flags_and_rest) = content.split_at(FLAGS_OFFSET.min(content.len()));
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(before);
    if let Some((low, rest)) = flags_and_rest.split_first() {
        hasher.update(&[low & !(FLAG_BINLOG_IN_USE as u8)]);
        hasher.update(rest);
    }
    hasher.finalize()
}
