//! TRANSACTION_PAYLOAD: a whole transaction's events in one, compressed with zstd or not at all.
//!
//! In: the event. Out: its inner events, one after the other, appended to a buffer of the caller's; they have no
//! checksums. Promise: memory grows with what really comes out; a stream that is damaged, ends early or gives
//! another amount than it says is an error, never the end of the transaction. Nothing survives a crash.
//!
//! Source: MySQL `control_events.h`, `Transaction_payload_event`, and `codecs/binary.cpp`.

use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::error::EventError;
use super::event_type::TRANSACTION_PAYLOAD_EVENT;
use super::header::{EventHeader, HEADER_LENGTH};
use super::reader::Reader;

const WHAT: &str = "transaction payload event";
/// Decompressed bytes are taken from the library in pieces of this size.
const STAGE_LENGTH: usize = 128 * 1024;

mod field {
    pub const END: u64 = 0;
    pub const SIZE: u64 = 1;
    pub const COMPRESSION: u64 = 2;
    pub const UNCOMPRESSED_SIZE: u64 = 3;
}

/// How the payload is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// One zstd stream.
    Zstd,
    /// As it is.
    None,
}

/// The head of the event, and the packed payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionPayload<'a> {
    /// How the payload is packed.
    pub compression: Compression,
    /// Bytes that it claims to unpack to; checked at the end, never trusted before.
    pub uncompressed_size: u64,
    /// The packed bytes.
    pub payload: &'a [u8],
}

impl<'a> TransactionPayload<'a> {
    /// Reads the body.
    pub fn parse(body: &'a [u8]) -> Result<Self, EventError> {
        let mut reader = Reader::new(body, WHAT);
        let (mut size, mut compression, mut uncompressed_size) = (None, Compression::None, None);
        loop {
            let number = reader.packed()?;
            if number == field::END {
                break;
            }
            let mut value = Reader::new(reader.packed_bytes()?, WHAT);
            match number {
                field::SIZE => size = Some(value.packed_length()?),
                field::COMPRESSION => {
                    compression = match value.packed()? {
                        0 => Compression::Zstd,
                        255 => Compression::None,
                        _ => {
                            return Err(reader.invalid("a compression that is neither zstd nor none"));
                        }
                    }
                }
                field::UNCOMPRESSED_SIZE => uncompressed_size = Some(value.packed()?),
                _ => {}
            }
        }
        let size = size.ok_or_else(|| reader.invalid("no payload size"))?;
        let payload = reader.take(size)?;
        if !reader.is_empty() {
            return Err(reader.invalid("bytes behind the payload"));
        }
        let uncompressed_size = uncompressed_size.unwrap_or(payload.len() as u64);
        Ok(TransactionPayload { compression, uncompressed_size, payload })
    }
}

/// Unpacks payloads; keeps zstd's memory from one to the next.
pub struct PayloadDecoder {
    zstd: Option<Decoder<'static>>,
    stage: Vec<u8>,
    limit: u64,
}

impl PayloadDecoder {
    /// `limit` in bytes: a transaction that unpacks to more is an error.
    pub fn new(limit: u64) -> Self {
        PayloadDecoder { zstd: None, stage: Vec::new(), limit }
    }

    /// Begins with a payload. One that was begun before and not read to its end is forgotten.
    ///
    /// Errors: [`EventError::Decompress`] when zstd cannot be set up.
    pub fn begin<'d, 'a>(&'d mut self, payload: &TransactionPayload<'a>) -> Result<PayloadEvents<'d, 'a>, EventError> {
        let zstd_failed = |_| EventError::Decompress { what: WHAT, reason: "zstd cannot be set up" };
        if payload.compression == Compression::Zstd {
            match &mut self.zstd {
                Some(decoder) => decoder.reinit().map_err(zstd_failed)?,
                None => self.zstd = Some(Decoder::new().map_err(zstd_failed)?),
            }
            self.stage.resize(STAGE_LENGTH, 0);
        }
        if payload.uncompressed_size > self.limit {
            let size = payload.uncompressed_size;
            return Err(EventError::Limit { what: WHAT, size, limit: self.limit });
        }
        Ok(PayloadEvents {
            decoder: self,
            compression: payload.compression,
            packed: payload.payload,
            stage_start: 0,
            stage_end: 0,
            between_frames: true,
            given: 0,
            uncompressed_size: payload.uncompressed_size,
        })
    }
}

/// Where unpacking stopped, to go on later with the same decoder: a transaction may unpack to more than should
/// lie in memory at once.
#[derive(Debug)]
pub struct Suspended {
    compression: Compression,
    /// Packed bytes that are still to be read, at the end of the payload.
    packed_left: usize,
    stage_start: usize,
    stage_end: usize,
    between_frames: bool,
    given: u64,
    uncompressed_size: u64,
}

impl PayloadDecoder {
    /// Goes on where [`PayloadEvents::suspend`] stopped; `payload` is the same packed payload as then.
    pub fn resume<'d, 'a>(&'d mut self, suspended: Suspended, payload: &'a [u8]) -> PayloadEvents<'d, 'a> {
        let start = payload.len().saturating_sub(suspended.packed_left);
        PayloadEvents {
            decoder: self,
            compression: suspended.compression,
            packed: payload.get(start..).unwrap_or_default(),
            stage_start: suspended.stage_start,
            stage_end: suspended.stage_end,
            between_frames: suspended.between_frames,
            given: suspended.given,
            uncompressed_size: suspended.uncompressed_size,
        }
    }
}

impl PayloadEvents<'_, '_> {
    /// Stops for now; no other payload may be begun before this one is resumed.
    pub fn suspend(self) -> Suspended {
        Suspended {
            compression: self.compression,
            packed_left: self.packed.len(),
            stage_start: self.stage_start,
            stage_end: self.stage_end,
            between_frames: self.between_frames,
            given: self.given,
            uncompressed_size: self.uncompressed_size,
        }
    }
}

/// The inner events of one payload.
pub struct PayloadEvents<'d, 'a> {
    decoder: &'d mut PayloadDecoder,
    compression: Compression,
    packed: &'a [u8],
    /// What of the stage is decompressed and not yet given.
    stage_start: usize,
    stage_end: usize,
    /// Whether the zstd stream is whole as far as it was read.
    between_frames: bool,
    given: u64,
    uncompressed_size: u64,
}

impl PayloadEvents<'_, '_> {
    /// Appends the next event to `out` and gives its header, or `None` behind the last one.
    ///
    /// Errors: [`EventError::Decompress`], [`EventError::Length`], [`EventError::Truncated`], and [`EventError::Invalid`] for
    /// a payload in the payload; after an error `out` may end with a part of the event.
    pub fn next_into(&mut self, out: &mut Vec<u8>) -> Result<Option<EventHeader>, EventError> {
        let start = out.len();
        let got = self.fill(HEADER_LENGTH, out)?;
        if got == 0 {
            return self.end();
        }
        let header = EventHeader::parse(out.get(start..).unwrap_or_default())?;
        if header.event_type == TRANSACTION_PAYLOAD_EVENT {
            return Err(EventError::Invalid { what: WHAT, reason: "another one is inside it" });
        }
        let rest = header.event_size as usize - HEADER_LENGTH;
        let available = self.fill(rest, out)?;
        if available != rest {
            return Err(EventError::Truncated { what: WHAT, at: HEADER_LENGTH, needed: rest, available });
        }
        Ok(Some(header))
    }

    fn end(&self) -> Result<Option<EventHeader>, EventError> {
        if !self.between_frames {
            return Err(EventError::Decompress { what: WHAT, reason: "the compressed stream ends early" });
        }
        if self.given != self.uncompressed_size {
            return Err(EventError::Decompress { what: WHAT, reason: "it unpacks to another size than it says" });
        }
        Ok(None)
    }

    /// Appends up to `wanted` bytes; fewer only at the end.
    fn fill(&mut self, wanted: usize, out: &mut Vec<u8>) -> Result<usize, EventError> {
        let mut filled = 0;
        while filled < wanted {
            let chunk = match self.compression {
                Compression::None => {
                    let (taken, rest) = self.packed.split_at(self.packed.len().min(wanted - filled));
                    self.packed = rest;
                    out.extend_from_slice(taken);
                    taken.len()
                }
                Compression::Zstd => {
                    self.unpack()?;
                    let end = self.stage_end.min(self.stage_start + (wanted - filled));
                    let taken = self.decoder.stage.get(self.stage_start..end).unwrap_or_default();
                    out.extend_from_slice(taken);
                    self.stage_start = end;
                    taken.len()
                }
            };
            if chunk == 0 {
                break;
            }
            filled += chunk;
        }
        self.given += filled as u64;
        if self.given > self.decoder.limit {
            return Err(EventError::Limit { what: WHAT, size: self.given, limit: self.decoder.limit });
        }
        Ok(filled)
    }

    /// Makes sure that the stage holds something, unless nothing is left.
    fn unpack(&mut self) -> Result<(), EventError> {
        let Some(zstd) = self.decoder.zstd.as_mut() else {
            return Ok(());
        };
        while self.stage_start == self.stage_end && !(self.packed.is_empty() && self.between_frames) {
            let mut input = InBuffer::around(self.packed);
            let mut output = OutBuffer::around(self.decoder.stage.as_mut_slice());
            let hint = zstd
                .run(&mut input, &mut output)
                .map_err(|_| EventError::Decompress { what: WHAT, reason: "the compressed stream is damaged" })?;
            let (read, written) = (input.pos(), output.pos());
            self.packed = self.packed.get(read..).unwrap_or_default();
            (self.stage_start, self.stage_end) = (0, written);
            self.between_frames = hint == 0;
            if read == 0 && written == 0 {
                break; // the input has ended inside a frame; `end` says so
            }
        }
        Ok(())
    }
}
