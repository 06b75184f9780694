//! Transactions that come while they are open (`streaming` of pgoutput): held until they end.
//!
//! In: blocks of open transactions, and what is said of their parts and their end. Out: a committed transaction, whole.
//! Promised: nothing of a transaction is seen before its commit, and nothing of what was rolled back ever; memory stays
//! within its limit, the largest transaction goes to its file first. One that cannot be delivered from its parts, or not be
//! held, is let go of at once, and asked for again only if it is committed. Nothing survives a crash: what was not committed
//! was not confirmed, and the server sends it again.

use std::collections::{HashMap, HashSet};

use super::connection::Lsn;
use super::error::PostgresError;
use super::options::StreamingOptions;
use super::pgoutput::{Message, StreamAbort, StreamCommit, StreamStart};
use super::spill::{Held, is_in_memory, try_folder};
use crate::error::{Coded, Failure};

/// What a rolled back part is remembered with, in bytes: its number, and what a set takes beside it.
const ROLLED_BACK_BYTES: usize = 16;

/// What is known of where a transaction was committed first. The server takes it from the first change that it has of the
/// transaction, and that knows it only if it is one of a row or a truncation: a message and what a statement does to the
/// catalog do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Nothing has come yet.
    Unasked,
    /// Here: the first change would have said otherwise.
    Here,
    /// Perhaps somewhere else.
    InDoubt,
}

/// An open transaction.
#[derive(Debug)]
pub struct StreamedTransaction {
    /// Where its first block begins.
    pub first_lsn: Lsn,
    /// Its messages.
    pub held: Held,
    /// Its parts that were rolled back.
    pub rolled_back: HashSet<u32>,
    /// It has a message of the user's, which does not say to which part it belongs.
    has_message: bool,
    origin: Origin,
    /// Why it must come whole; nothing of it is held then.
    given_up: Option<&'static str>,
}

impl StreamedTransaction {
    fn begin(first_lsn: Lsn) -> Self {
        StreamedTransaction {
            first_lsn,
            held: Held::default(),
            rolled_back: HashSet::new(),
            has_message: false,
            origin: Origin::Unasked,
            given_up: None,
        }
    }

    fn memory(&self) -> usize {
        self.held.memory() + self.rolled_back.len() * ROLLED_BACK_BYTES
    }

    /// It must come whole if it is committed.
    fn give_up(&mut self, why: &'static str) {
        *self = StreamedTransaction { given_up: Some(why), ..Self::begin(self.first_lsn) };
    }

    /// Whether the server may not have said where it was committed first.
    pub fn is_origin_in_doubt(&self) -> bool {
        self.origin == Origin::InDoubt
    }
}

/// All open transactions of a stream.
#[derive(Debug)]
pub struct Streamed {
    options: StreamingOptions,
    open: HashMap<u32, StreamedTransaction>,
    /// Whose block is being received.
    receiving: Option<u32>,
}

impl Streamed {
    /// None.
    pub fn new(options: StreamingOptions) -> Self {
        Streamed { options, open: HashMap::new(), receiving: None }
    }

    /// A new stream sends all of them again.
    pub fn clear(&mut self) {
        self.open.clear();
        self.receiving = None;
    }

    /// Whether what comes now belongs to an open transaction.
    pub fn is_receiving(&self) -> bool {
        self.receiving.is_some()
    }

    /// A block begins.
    ///
    /// # Errors
    /// When it is not the first of a transaction that is not known.
    pub fn start(&mut self, start: &StreamStart, lsn: Lsn) -> Result<(), PostgresError> {
        if start.first {
            self.open.insert(start.xid, StreamedTransaction::begin(lsn));
        } else if !self.open.contains_key(&start.xid) {
            return Err(PostgresError::OutOfPlace { what: "a later block of an unknown transaction", lsn });
        }
        self.receiving = Some(start.xid);
        Ok(())
    }

    /// A message of the block that is being received. `heard` numbers descriptions of tables.
    ///
    /// # Errors
    /// When it cannot stand there.
    pub fn message(&mut self, lsn: Lsn, body: &[u8], heard: &mut u64) -> Result<(), Failure> {
        let Some(transaction) = self.receiving.and_then(|xid| self.open.get_mut(&xid)) else { return Ok(()) };
        let mut place = lsn;
        // Whether the server would have told the origin with it; `None` for what is no change.
        let mut tells_origin = Some(true);
        match body.first() {
            Some(b'I' | b'U' | b'D') => {}
            Some(b'E') => {
                self.receiving = None;
                return Ok(());
            }
            Some(b'Y') => return Ok(()),
            _ => match Message::parse(body, true)? {
                Message::Relation(_) => {
                    // It has no place in the log of its own, and comes before the change that needs it.
                    *heard += 1;
                    place = Lsn(*heard);
                    tells_origin = None;
                }
                Message::Message(message) => {
                    transaction.has_message |= message.transactional;
                    tells_origin = Some(false);
                }
                Message::Truncate(_) => {}
                Message::Origin(_) => transaction.give_up("it came from another server"),
                Message::Begin(_)
                | Message::Commit(_)
                | Message::Type(_)
                | Message::Insert(_)
                | Message::Update(_)
                | Message::Delete(_)
                | Message::StreamStart(_)
                | Message::StreamStop
                | Message::StreamCommit(_)
                | Message::StreamAbort(_)
                | Message::BeginPrepare(_)
                | Message::Prepare(_)
                | Message::CommitPrepared(_)
                | Message::RollbackPrepared(_)
                | Message::StreamPrepare(_) => {
                    let what = "a boundary inside a block of an open transaction";
                    return Err(PostgresError::OutOfPlace { what, lsn }.into());
                }
            },
        }
        if transaction.given_up.is_some() {
            return Ok(());
        }
        if let (Origin::Unasked, Some(tells)) = (transaction.origin, tells_origin) {
            let is_first = lsn == transaction.first_lsn;
            transaction.origin = if tells && is_first { Origin::Here } else { Origin::InDoubt };
        }
        transaction.held.push(place, body);
        Ok(())
    }

    /// Brings memory within its limit. Called once for each block that was read, so that a message costs nothing here.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn keep_limit(&mut self) -> Result<(), PostgresError> {
        let mut memory: usize = self.open.values().map(StreamedTransaction::memory).sum();
        while memory as u64 > self.options.memory_bytes {
            let written: u64 = self.open.values().map(|transaction| transaction.held.written()).sum();
            let size = |transaction: &StreamedTransaction| (transaction.held.memory(), transaction.rolled_back.len());
            let largest = self.open.iter_mut().max_by_key(|(_, transaction)| size(transaction));
            let Some((xid, transaction)) = largest else { return Ok(()) };
            let (total, messages) = (transaction.memory(), transaction.held.memory());
            if messages == 0 {
                // What is left of it cannot go to a file.
                transaction
                    .give_up("it has more parts that were rolled back than headwater.transaction.memory.bytes holds");
                memory -= total;
                continue;
            }
            if self.options.folder_bytes.is_some_and(|limit| written + messages as u64 > limit) {
                transaction
                    .give_up("the files of open transactions would be more than headwater.transaction.folder.bytes");
                memory -= total;
                continue;
            }
            if transaction.held.written() == 0 {
                tracing::info!(
                    transaction = xid,
                    folder = %self.options.folder.display(),
                    limit_bytes = self.options.memory_bytes,
                    "an open transaction goes to a file"
                );
            }
            memory -= messages;
            transaction.held.spill(&self.options.folder).map_err(|error| self.options.failed(error))?;
        }
        Ok(())
    }

    /// A transaction, or a part of it, was rolled back.
    pub fn abort(&mut self, abort: &StreamAbort) {
        if abort.xid == abort.subxid {
            self.open.remove(&abort.xid);
            return;
        }
        let Some(transaction) = self.open.get_mut(&abort.xid) else { return };
        if transaction.has_message {
            // The whole may be rolled back next, part by part.
            transaction.give_up("a part of it was rolled back, and its messages do not say to which part they belong");
        }
        if transaction.given_up.is_none() {
            transaction.rolled_back.insert(abort.subxid);
        }
    }

    /// A transaction was committed.
    ///
    /// # Errors
    /// When it is not known, or must come whole.
    pub fn commit(&mut self, commit: &StreamCommit, lsn: Lsn) -> Result<StreamedTransaction, PostgresError> {
        let what = "the end of an unknown transaction";
        let transaction = self.open.remove(&commit.xid).ok_or(PostgresError::OutOfPlace { what, lsn })?;
        match transaction.given_up {
            Some(why) => Err(PostgresError::MustComeWhole { why, lsn }),
            None => Ok(transaction),
        }
    }

    /// The failure of a file, with what can be done about it.
    pub fn failed(&self, error: std::io::Error) -> PostgresError {
        self.options.failed(error)
    }
}

impl StreamingOptions {
    /// Whether files can be made where they are wanted; says why not, before a transaction needs one.
    pub fn is_usable(&self) -> bool {
        if let Err(error) = try_folder(&self.folder) {
            let error = self.failed(error);
            tracing::warn!(
                code = %error.code(),
                reason = %error,
                hint = error.code().hint,
                "large transactions are left to the server"
            );
            return false;
        }
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        if std::fs::canonicalize(&self.folder).is_ok_and(|folder| is_in_memory(&folder, &mounts)) {
            tracing::warn!(
                folder = %self.folder.display(),
                "files of this folder stay in memory (tmpfs), beyond headwater.transaction.memory.bytes: set headwater.transaction.folder to one on a disk"
            );
        }
        true
    }

    fn failed(&self, error: std::io::Error) -> PostgresError {
        PostgresError::Spill { folder: self.folder.clone(), limit_bytes: self.memory_bytes, error }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    /// A row of a part of a transaction: its letter, the part, and something to tell it by.
    fn row(part: u32, number: u32, length: usize) -> Vec<u8> {
        let mut body = [&b"I"[..], &part.to_be_bytes(), &number.to_be_bytes()].concat();
        body.resize(body.len() + length, 0);
        body
    }

    /// What is handed over of a transaction, without what was rolled back.
    fn numbers(transaction: StreamedTransaction) -> Vec<u32> {
        let (mut replay, mut block, mut messages, mut numbers) =
            (transaction.held.replay(), Vec::new(), Vec::new(), Vec::new());
        while replay.next(&mut block, &mut messages).unwrap() {
            for message in &messages {
                let body = &block[message.range.start as usize..message.range.end as usize];
                let word = |at: usize| u32::from_be_bytes(*body[at..].first_chunk::<4>().unwrap());
                if !transaction.rolled_back.contains(&word(1)) {
                    numbers.push(word(5));
                }
            }
        }
        numbers
    }

    fn end(xid: u32) -> StreamCommit {
        StreamCommit { xid, commit_lsn: Lsn(1), end_lsn: Lsn(2), commit_time_us: 0 }
    }

    fn receive(streamed: &mut Streamed, xid: u32, first: bool, body: &[u8]) {
        streamed.start(&StreamStart { xid, first }, Lsn(1)).unwrap();
        streamed.message(Lsn(1), body, &mut 0).unwrap();
        streamed.message(Lsn(1), b"E", &mut 0).unwrap();
        streamed.keep_limit().unwrap();
    }

    proptest! {
        /// Blocks of some transactions in any order, with parts that are rolled back, and an end at some time.
        #[test]
        fn what_was_committed_comes_and_nothing_else(steps in proptest::collection::vec((0_u8..10, 0_u32..4, 0_u32..3), 0..200)) {
            let folder = tempfile::tempdir().unwrap();
            let options =
                StreamingOptions { memory_bytes: 4_000, folder: folder.path().to_owned(), folder_bytes: None };
            let mut streamed = Streamed::new(options);
            let mut expected: HashMap<u32, Vec<(u32, u32)>> = HashMap::new();
            for ((what, transaction, part), number) in steps.into_iter().zip(0..) {
                let (xid, part) = (100 * (transaction + 1), 100 * (transaction + 1) + part);
                match what {
                    0 => {
                        streamed.abort(&StreamAbort { xid, subxid: xid, abort: None });
                        expected.remove(&xid);
                    }
                    // A part that was rolled back has no more rows: the next one has another number.
                    1 if part != xid => {
                        let known = expected.contains_key(&xid);
                        if known && !streamed.open[&xid].rolled_back.contains(&part) {
                            streamed.abort(&StreamAbort { xid, subxid: part, abort: None });
                            expected.get_mut(&xid).unwrap().retain(|(of, _)| *of != part);
                        }
                    }
                    2 => {
                        let committed = streamed.commit(&end(xid), Lsn(1));
                        let rows = expected.remove(&xid).map(|rows| rows.into_iter().map(|(_, number)| number).collect());
                        prop_assert_eq!(committed.ok().map(numbers), rows);
                    }
                    _ => {
                        let first = !expected.contains_key(&xid);
                        let gone = !first && streamed.open[&xid].rolled_back.contains(&part);
                        let part = if gone { xid } else { part };
                        receive(&mut streamed, xid, first, &row(part, number, number as usize * 3));
                        expected.entry(xid).or_default().push((part, number));
                    }
                }
                let memory: usize = streamed.open.values().map(|open| open.held.memory()).sum();
                prop_assert!(memory <= 4_000);
            }
        }
    }

    #[test]
    fn what_cannot_stand_there_is_told() {
        let mut streamed = Streamed::new(StreamingOptions::default());
        let start = |first| StreamStart { xid: 7, first };
        assert!(streamed.start(&start(false), Lsn(1)).is_err());
        assert!(streamed.commit(&end(7), Lsn(1)).is_err());
        streamed.start(&start(true), Lsn(1)).unwrap();
        for body in [&b""[..], b"C", b"Z", b"S\0\0\0\x07\x01", b"c", b"R\0"] {
            assert!(streamed.message(Lsn(1), body, &mut 0).is_err(), "{body:?}");
        }
    }

    const MESSAGE: &[u8] = b"M\0\0\0\x07\x01\0\0\0\0\0\0\0\x01p\0\0\0\0\0";
    const ORIGIN: &[u8] = b"O\0\0\0\0\0\0\0\x01o\0";
    const RELATION: &[u8] = b"R\0\0\0\x07\0\0\0\x05public\0t\0d\0\0";

    /// What comes of a transaction with these messages, of which a part was rolled back.
    fn end_of(messages: &[&[u8]], rolled_back: Option<u32>) -> Result<StreamedTransaction, PostgresError> {
        let mut streamed = Streamed::new(StreamingOptions::default());
        for (message, number) in messages.iter().zip(0..) {
            receive(&mut streamed, 7, number == 0, message);
        }
        if let Some(subxid) = rolled_back {
            streamed.abort(&StreamAbort { xid: 7, subxid, abort: None });
        }
        streamed.commit(&end(7), Lsn(1))
    }

    #[test]
    fn only_a_transaction_that_is_committed_must_come_whole() {
        let must_come_whole = |messages: &[&[u8]], rolled_back| {
            matches!(end_of(messages, rolled_back), Err(PostgresError::MustComeWhole { .. }))
        };
        let row = row(7, 1, 0);
        assert!(must_come_whole(&[MESSAGE, &row], Some(8)));
        assert!(!must_come_whole(&[MESSAGE, &row], None));
        assert!(!must_come_whole(&[&row], Some(8)));
        assert!(must_come_whole(&[ORIGIN, &row], None));
        // Rolled back whole, as the server says it: each part, and then all of it.
        let mut streamed = Streamed::new(StreamingOptions::default());
        receive(&mut streamed, 7, true, ORIGIN);
        receive(&mut streamed, 7, false, MESSAGE);
        for subxid in [9, 8, 7] {
            streamed.abort(&StreamAbort { xid: 7, subxid, abort: None });
        }
        assert!(streamed.open.is_empty());
    }

    #[test]
    fn an_origin_is_in_doubt_where_the_first_change_is_none_of_a_row() {
        let in_doubt = |messages: &[&[u8]]| end_of(messages, None).unwrap().is_origin_in_doubt();
        let row = row(7, 1, 0);
        assert!(!in_doubt(&[RELATION, &row, MESSAGE]));
        assert!(in_doubt(&[MESSAGE, RELATION, &row]));
        // The block begins at a change that is not sent.
        let mut streamed = Streamed::new(StreamingOptions::default());
        streamed.start(&StreamStart { xid: 7, first: true }, Lsn(1)).unwrap();
        streamed.message(Lsn(2), &row, &mut 0).unwrap();
        assert!(streamed.commit(&end(7), Lsn(3)).unwrap().is_origin_in_doubt());
    }

    #[test]
    fn what_cannot_be_held_within_the_limits_is_let_go_of() {
        let folder = tempfile::tempdir().unwrap();
        let limited = |folder_bytes| {
            Streamed::new(StreamingOptions { memory_bytes: 4_000, folder: folder.path().to_owned(), folder_bytes })
        };
        let mut streamed = limited(Some(9_000));
        receive(&mut streamed, 7, true, &row(7, 1, 5_000));
        receive(&mut streamed, 8, true, &row(8, 1, 6_000));
        assert!(streamed.commit(&end(7), Lsn(1)).is_ok());
        assert!(matches!(streamed.commit(&end(8), Lsn(1)), Err(PostgresError::MustComeWhole { .. })));
        let mut streamed = limited(None);
        receive(&mut streamed, 7, true, &row(7, 1, 0));
        for subxid in 100..1_000 {
            streamed.abort(&StreamAbort { xid: 7, subxid, abort: None });
            streamed.keep_limit().unwrap();
        }
        assert!(matches!(streamed.commit(&end(7), Lsn(1)), Err(PostgresError::MustComeWhole { .. })));
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let options = |folder| StreamingOptions { folder, ..StreamingOptions::default() };
        assert!(options(folder.path().to_owned()).is_usable());
        assert!(!options(folder.path().join("missing")).is_usable());
    }
}
