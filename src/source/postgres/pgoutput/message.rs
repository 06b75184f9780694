//! Telling the messages apart.

use super::super::wire::Reader;
use super::{
    Begin, BeginPrepare, Commit, CommitPrepared, Delete, Insert, LogicalMessage, Origin, PgOutputError, Prepare,
    Relation, RollbackPrepared, StreamAbort, StreamCommit, StreamStart, Truncate, TypeName, Update,
};

/// A message of the plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A transaction begins.
    Begin(Begin),
    /// It was committed.
    Commit(Commit),
    /// The transaction came from another server.
    Origin(Origin<'a>),
    /// What `pg_logical_emit_message` wrote.
    Message(LogicalMessage<'a>),
    /// A table as it is for the rows behind.
    Relation(Relation<'a>),
    /// The name of a type that is not built in.
    Type(TypeName<'a>),
    /// A row was inserted.
    Insert(Insert),
    /// A row was updated.
    Update(Update),
    /// A row was deleted.
    Delete(Delete),
    /// Tables were emptied.
    Truncate(Truncate),
    /// A block of an open transaction begins.
    StreamStart(StreamStart),
    /// The block ends.
    StreamStop,
    /// A streamed transaction was committed.
    StreamCommit(StreamCommit),
    /// A streamed transaction, or a part of it, was rolled back.
    StreamAbort(StreamAbort),
    /// A prepared transaction begins.
    BeginPrepare(BeginPrepare<'a>),
    /// It was prepared.
    Prepare(Prepare<'a>),
    /// A prepared transaction was committed.
    CommitPrepared(CommitPrepared<'a>),
    /// A prepared transaction was rolled back.
    RollbackPrepared(RollbackPrepared<'a>),
    /// A streamed transaction was prepared.
    StreamPrepare(Prepare<'a>),
}

impl<'a> Message<'a> {
    /// Reads the payload of one message. `streamed`: it stands between [`Message::StreamStart`] and
    /// [`Message::StreamStop`], where messages carry the number of their transaction or subtransaction.
    ///
    /// # Errors
    /// When a field is missing or the type is not known. The images of a row are not looked at.
    pub fn parse(body: &'a [u8], streamed: bool) -> Result<Self, PgOutputError> {
        let mut reader = Reader::new("pgoutput", body);
        let kind = reader.u8("type")?;
        Ok(match kind {
            b'B' => Self::Begin(Begin::read(&mut reader)?),
            b'C' => Self::Commit(Commit::read(&mut reader)?),
            b'O' => Self::Origin(Origin::read(&mut reader)?),
            b'M' => Self::Message(LogicalMessage::read(&mut reader, streamed)?),
            b'R' => Self::Relation(Relation::read(&mut reader, streamed)?),
            b'Y' => Self::Type(TypeName::read(&mut reader, streamed)?),
            b'I' => Self::Insert(Insert::read(body.len(), &mut reader, streamed)?),
            b'U' => Self::Update(Update::read(body.len(), &mut reader, streamed)?),
            b'D' => Self::Delete(Delete::read(body.len(), &mut reader, streamed)?),
            b'T' => Self::Truncate(Truncate::read(&mut reader, streamed)?),
            b'S' => Self::StreamStart(StreamStart::read(&mut reader)?),
            b'E' => Self::StreamStop,
            b'c' => Self::StreamCommit(StreamCommit::read(&mut reader)?),
            b'A' => Self::StreamAbort(StreamAbort::read(&mut reader)?),
            b'b' => Self::BeginPrepare(BeginPrepare::read(&mut reader)?),
            b'P' => Self::Prepare(Prepare::read(&mut reader)?),
            b'K' => Self::CommitPrepared(CommitPrepared::read(&mut reader)?),
            b'r' => Self::RollbackPrepared(RollbackPrepared::read(&mut reader)?),
            b'p' => Self::StreamPrepare(Prepare::read(&mut reader)?),
            other => return Err(PgOutputError::UnknownType(char::from(other))),
        })
    }
}

/// The transaction's number, which stands only in a streamed block.
pub(super) fn read_xid(reader: &mut Reader<'_>, streamed: bool) -> Result<Option<u32>, PgOutputError> {
    Ok(if streamed { Some(reader.u32("transaction")?) } else { None })
}
