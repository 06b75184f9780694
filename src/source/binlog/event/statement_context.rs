//! INTVAR, RAND and USER_VAR: values that a statement in statement format depends on.
//!
//! Rows need none of them; they are decoded so that a stream in mixed format can be told from a damaged one.
//! Source: MySQL internals manual, "INTVAR_EVENT", "RAND_EVENT", "USER_VAR_EVENT".

use super::error::EventError;
use super::reader::Reader;

/// `LAST_INSERT_ID()` or the next `AUTO_INCREMENT` value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntVar {
    /// 1 `LAST_INSERT_ID()`, 2 the value of an `AUTO_INCREMENT` column.
    pub kind: u8,
    /// The value.
    pub value: u64,
}

impl IntVar {
    /// Reads the body.
    pub fn parse(body: &[u8]) -> Result<Self, EventError> {
        let mut reader = Reader::new(body, "intvar event");
        Ok(IntVar { kind: reader.u8()?, value: reader.u64()? })
    }
}

/// The seeds of `RAND()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rand {
    /// The first.
    pub seed1: u64,
    /// The second.
    pub seed2: u64,
}

impl Rand {
    /// Reads the body.
    pub fn parse(body: &[u8]) -> Result<Self, EventError> {
        let mut reader = Reader::new(body, "rand event");
        Ok(Rand { seed1: reader.u64()?, seed2: reader.u64()? })
    }
}

/// A user variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserVar<'a> {
    /// The name without `@`.
    pub name: &'a [u8],
    /// The value in the server's own form; `None` for null.
    pub value: Option<&'a [u8]>,
}

impl<'a> UserVar<'a> {
    /// Reads the body.
    pub fn parse(body: &'a [u8]) -> Result<Self, EventError> {
        let mut reader = Reader::new(body, "user variable event");
        let length = reader.u32()? as usize;
        let name = reader.take(length)?;
        if reader.u8()? != 0 {
            return Ok(UserVar { name, value: None });
        }
        reader.u8()?; // the type: string, real, integer, row or decimal
        reader.u32()?; // its collation
        let length = reader.u32()? as usize;
        Ok(UserVar { name, value: Some(reader.take(length)?) })
    }
}
