//! QUERY: a statement: DDL, BEGIN, COMMIT, SAVEPOINT, or DML in statement format.
//!
//! MariaDB's QUERY_COMPRESSED has the same fields and a compressed statement.
//! Source: MySQL internals manual, "QUERY_EVENT"; `statement_events.h`; MariaDB `log_event.h` for codes from 128.

use super::compressed;
use super::error::EventError;
use super::reader::Reader;

const WHAT: &str = "query event";
/// In place of a number of databases: there were too many to list.
const TOO_MANY_DATABASES: u8 = 254;

/// A statement and the session it ran in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// `CONNECTION_ID()` of the session.
    pub thread_id: u32,
    /// Seconds that the statement took.
    pub execution_time: u32,
    /// 0, or the error with which it ended on the server.
    pub error_code: u16,
    /// The session's default database; empty when there was none.
    pub schema: &'a [u8],
    /// The status variables, undecoded; see [`Query::session`].
    pub status_variables: &'a [u8],
    statement: &'a [u8],
    compressed: bool,
}

/// What of the session shapes the statement's meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Session<'a> {
    /// `OPTION_*` flags: auto-is-null, foreign key and unique checks, autocommit.
    pub flags2: Option<u32>,
    /// `@@sql_mode` as its bits.
    pub sql_mode: Option<u64>,
    /// The catalog; `std` everywhere.
    pub catalog: Option<&'a [u8]>,
    /// `@@auto_increment_increment`, `@@auto_increment_offset`.
    pub auto_increment: Option<(u16, u16)>,
    /// Collation number of `@@character_set_client`.
    pub client_collation: Option<u16>,
    /// Number of `@@collation_connection`.
    pub connection_collation: Option<u16>,
    /// Number of `@@collation_server`.
    pub server_collation: Option<u16>,
    /// `@@time_zone`.
    pub time_zone: Option<&'a [u8]>,
    /// Number of `@@lc_time_names`.
    pub lc_time_names: Option<u16>,
    /// Number of `@@collation_database`, where it differs from that of the default database.
    pub database_collation: Option<u16>,
    /// User and host on whose behalf the statement ran.
    pub invoker: Option<(&'a [u8], &'a [u8])>,
    /// Microseconds of the statement's start, below the header's seconds.
    pub microseconds: Option<u32>,
    /// `@@explicit_defaults_for_timestamp` (MySQL).
    pub explicit_defaults_for_timestamp: Option<bool>,
    /// The transaction of an atomic DDL statement (MySQL 8.0), or of MariaDB's.
    pub ddl_xid: Option<u64>,
    /// Number of `@@default_collation_for_utf8mb4` (MySQL 8.0).
    pub default_collation_for_utf8mb4: Option<u16>,
    /// `@@sql_require_primary_key`.
    pub sql_require_primary_key: Option<bool>,
    /// `@@default_table_encryption`.
    pub default_table_encryption: Option<bool>,
    /// MariaDB's extra GTID flags: 2 START ALTER, 4 COMMIT ALTER, 8 ROLLBACK ALTER.
    pub gtid_flags_extra: Option<u8>,
    /// MariaDB's `@@character_set_collations`: pairs of two-byte collation numbers, character set first.
    pub character_set_collations: Option<&'a [u8]>,
    /// The first code that is not known; servers add codes at the end, and it and what follows are not read.
    pub unknown_code: Option<u8>,
}

impl<'a> Query<'a> {
    /// Reads the body. `post_header_length` is 13 (11 in MySQL 4); `compressed` for MariaDB's QUERY_COMPRESSED.
    pub fn parse(body: &'a [u8], post_header_length: usize, compressed: bool) -> Result<Self, EventError> {
        let mut reader = Reader::new(body, WHAT);
        let thread_id = reader.u32()?;
        let execution_time = reader.u32()?;
        let schema_length = usize::from(reader.u8()?);
        let error_code = reader.u16()?;
        let status_length = usize::from(reader.u16()?);
        let Some(unknown) = post_header_length.checked_sub(reader.at()) else {
            return Err(reader.invalid("a post-header of less than 13 bytes"));
        };
        reader.take(unknown)?;
        let status_variables = reader.take(status_length)?;
        let schema = reader.take(schema_length)?;
        if reader.u8()? != 0 {
            return Err(reader.invalid("a schema name that does not end with a zero byte"));
        }
        let statement = reader.rest();
        Ok(Query { thread_id, execution_time, error_code, schema, status_variables, statement, compressed })
    }

    /// The statement's bytes, in the character set of [`Session::client_collation`]. `scratch` is overwritten and
    /// lent out when the statement was compressed.
    ///
    /// Errors: those of [`compressed::decompress`].
    pub fn statement<'b>(&self, scratch: &'b mut Vec<u8>) -> Result<&'b [u8], EventError>
    where
        'a: 'b,
    {
        if self.compressed {
            scratch.clear();
            compressed::decompress(self.statement, WHAT, scratch)?;
            Ok(scratch)
        } else {
            Ok(self.statement)
        }
    }

    /// The statement as it stands in the event, or `None` when it is compressed.
    pub fn plain_statement(&self) -> Option<&'a [u8]> {
        (!self.compressed).then_some(self.statement)
    }

    /// Reads the status variables.
    ///
    /// Errors: a variable that ends early. A code that is not known ends the reading without an error.
    pub fn session(&self) -> Result<Session<'a>, EventError> {
        let mut reader = Reader::new(self.status_variables, "query event's status variables");
        let mut session = Session::default();
        while !reader.is_empty() && session.unknown_code.is_none() {
            let code = reader.u8()?;
            session.read(code, &mut reader)?;
        }
        Ok(session)
    }
}

impl<'a> Session<'a> {
    fn read(&mut self, code: u8, reader: &mut Reader<'a>) -> Result<(), EventError> {
        match code {
            0 => self.flags2 = Some(reader.u32()?),
            1 => self.sql_mode = Some(reader.u64()?),
            2 => self.catalog = Some(reader.name()?),
            3 => self.auto_increment = Some((reader.u16()?, reader.u16()?)),
            4 => {
                self.client_collation = Some(reader.u16()?);
                self.connection_collation = Some(reader.u16()?);
                self.server_collation = Some(reader.u16()?);
            }
            5 => self.time_zone = Some(short_text(reader)?),
            6 => self.catalog = Some(short_text(reader)?),
            7 => self.lc_time_names = Some(reader.u16()?),
            8 => self.database_collation = Some(reader.u16()?),
            9 => drop(reader.u64()?),  // table_map_for_update, of statement replication
            10 => drop(reader.u32()?), // bytes written by the original server
            11 => self.invoker = Some((short_text(reader)?, short_text(reader)?)),
            12 => skip_databases(reader)?,
            13 => self.microseconds = Some(reader.uint(3)? as u32),
            16 => self.explicit_defaults_for_timestamp = Some(reader.u8()? != 0),
            17 => self.ddl_xid = Some(reader.u64()?),
            18 => self.default_collation_for_utf8mb4 = Some(reader.u16()?),
            19 => self.sql_require_primary_key = Some(reader.u8()? != 0),
            20 => self.default_table_encryption = Some(reader.u8()? != 0),
            128 => self.microseconds = Some(reader.uint(3)? as u32),
            129 => self.ddl_xid = Some(reader.u64()?),
            130 => {
                let flags = reader.u8()?;
                self.gtid_flags_extra = Some(flags);
                if flags & (4 | 8) != 0 {
                    reader.u64()?; // number of the GTID that started the ALTER
                }
            }
            131 => {
                let pairs = usize::from(reader.u8()?);
                self.character_set_collations = Some(reader.take(pairs * 4)?);
            }
            other => self.unknown_code = Some(other),
        }
        Ok(())
    }
}

fn short_text<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], EventError> {
    let length = usize::from(reader.u8()?);
    reader.take(length)
}

fn skip_databases(reader: &mut Reader<'_>) -> Result<(), EventError> {
    let count = reader.u8()?;
    if count != TOO_MANY_DATABASES {
        for _ in 0..count {
            reader.until_zero()?;
        }
    }
    Ok(())
}
