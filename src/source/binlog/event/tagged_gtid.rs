//! GTID_TAGGED: the first event of a transaction whose GTID has a tag (MySQL 8.3 and later).
//!
//! The body is a message of MySQL's serialization library: its version, its size, the last field that must be
//! understood, then fields, each with its number. Integers are of variable length: as many further bytes as the
//! first byte has low one bits, the value in the bits above; signed ones have the sign in the lowest bit.
//! Source: MySQL `libs/mysql/serialization/readme.md` and `Gtid_event::define_fields`.

use super::error::EventError;
use super::gtid::mysql::{is_gno, is_tag};
use super::mysql_gtid::Gtid;
use super::reader::Reader;

const SERIALIZATION_VERSION: u64 = 1;
/// Numbers of the fields.
mod field {
    pub const FLAGS: u64 = 0;
    pub const UUID: u64 = 1;
    pub const GNO: u64 = 2;
    pub const TAG: u64 = 3;
    pub const LAST_COMMITTED: u64 = 4;
    pub const SEQUENCE_NUMBER: u64 = 5;
    pub const IMMEDIATE_COMMIT_TIMESTAMP: u64 = 6;
    pub const ORIGINAL_COMMIT_TIMESTAMP: u64 = 7;
    pub const TRANSACTION_LENGTH: u64 = 8;
    pub const IMMEDIATE_SERVER_VERSION: u64 = 9;
    pub const ORIGINAL_SERVER_VERSION: u64 = 10;
    pub const COMMIT_GROUP_TICKET: u64 = 11;
}

/// Reads the body.
pub fn parse<'a>(body: &'a [u8]) -> Result<Gtid<'a>, EventError> {
    let mut reader = Reader::new(body, "tagged GTID event");
    if unsigned(&mut reader)? != SERIALIZATION_VERSION {
        return Err(reader.invalid("a serialization version other than 1"));
    }
    let size = unsigned(&mut reader)?;
    if usize::try_from(size) != Ok(body.len()) {
        return Err(reader.invalid("a message whose size is not that of the event"));
    }
    let last_needed = unsigned(&mut reader)?;
    if last_needed > field::COMMIT_GROUP_TICKET {
        return Err(reader.invalid("a field that must be understood and is not known"));
    }
    let mut gtid = Gtid::EMPTY;
    while !reader.is_empty() {
        let number = unsigned(&mut reader)?;
        if number > field::COMMIT_GROUP_TICKET {
            break; // fields come in order, and what follows is marked as ignorable
        }
        read_field(number, &mut reader, &mut gtid)?;
    }
    if gtid.original_commit_timestamp_us.is_none() {
        gtid.original_commit_timestamp_us = gtid.immediate_commit_timestamp_us;
    }
    if gtid.original_server_version == 0 {
        gtid.original_server_version = gtid.immediate_server_version;
    }
    if !is_gno(gtid.gno) {
        return Err(reader.invalid("a transaction number out of range"));
    }
    Ok(gtid)
}

fn read_field<'a>(number: u64, reader: &mut Reader<'a>, gtid: &mut Gtid<'a>) -> Result<(), EventError> {
    match number {
        field::FLAGS => gtid.flags = reader.u8()?,
        field::UUID => {
            for byte in &mut gtid.uuid.0 {
                let value = unsigned(reader)?;
                *byte = u8::try_from(value).map_err(|_| reader.invalid("a UUID byte over 255"))?;
            }
        }
        field::GNO => {
            let gno = signed(reader)?;
            gtid.gno = u64::try_from(gno).map_err(|_| reader.invalid("a negative transaction number"))?;
        }
        field::TAG => gtid.tag = read_tag(reader)?,
        field::LAST_COMMITTED => gtid.last_committed = signed(reader)?,
        field::SEQUENCE_NUMBER => gtid.sequence_number = signed(reader)?,
        field::IMMEDIATE_COMMIT_TIMESTAMP => gtid.immediate_commit_timestamp_us = Some(unsigned(reader)?),
        field::ORIGINAL_COMMIT_TIMESTAMP => gtid.original_commit_timestamp_us = Some(unsigned(reader)?),
        field::TRANSACTION_LENGTH => gtid.transaction_length = unsigned(reader)?,
        field::IMMEDIATE_SERVER_VERSION => gtid.immediate_server_version = version(reader)?,
        field::ORIGINAL_SERVER_VERSION => gtid.original_server_version = version(reader)?,
        _ => drop(unsigned(reader)?),
    }
    Ok(())
}

fn read_tag<'a>(reader: &mut Reader<'a>) -> Result<&'a str, EventError> {
    let length = unsigned(reader)?;
    let length = usize::try_from(length).map_err(|_| reader.invalid("a tag beyond the address space"))?;
    match std::str::from_utf8(reader.take(length)?) {
        Ok(tag) if tag.is_empty() || is_tag(tag) => Ok(tag),
        Ok(_) | Err(_) => Err(reader.invalid("a tag with characters that tags cannot have")),
    }
}

fn version(reader: &mut Reader<'_>) -> Result<u32, EventError> {
    let version = unsigned(reader)?;
    u32::try_from(version).map_err(|_| reader.invalid("a server version of more than 32 bits"))
}

/// An unsigned integer of one to nine bytes.
pub(super) fn unsigned(reader: &mut Reader<'_>) -> Result<u64, EventError> {
    let first = reader.u8()?;
    let further = first.trailing_ones() as usize;
    if further == 8 {
        return reader.u64();
    }
    let low = u64::from(first) >> (further + 1);
    let high = reader.uint(further)?;
    Ok(low | high << (7 - further))
}

/// A signed integer of one to nine bytes.
fn signed(reader: &mut Reader<'_>) -> Result<i64, EventError> {
    let value = unsigned(reader)?;
    let magnitude = (value >> 1) as i64;
    Ok(if value & 1 == 1 { !magnitude } else { magnitude })
}
