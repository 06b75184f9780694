//! Transactions that come while they are open (`streaming` of pgoutput): held until they end.
//!
//! In: blocks of open transactions, and what is said of their parts and their end. Out: a committed transaction, whole.
//! Promised: nothing of a transaction is seen before its commit, and nothing of what was rolled back ever; memory stays
//! within its limit, the largest transaction goes to its file first. Nothing survives a crash: what was not committed was
//! not confirmed, and the server sends it again.

use std::collections::{HashMap, HashSet};

use super::connection::Lsn;
use super::error::PostgresError;
use super::options::StreamingOptions;
use super::pgoutput::{Message, StreamAbort, StreamCommit, StreamStart};
use super::spill::Held;
use crate::error::Failure;

/// What a rolled back part is remembered with, in bytes: its number, and what a set takes beside it.
const ROLLED_BACK_BYTES: usize = 16;

/// An open transaction.
#[derive(Debug)]
pub struct StreamedTransaction {
    /// Where its first block begins.
    pub first_lsn: Lsn,
    /// Its messages.
    pub held: Held,
    /// Its parts that were rolled back.
    pub rolled_back: HashSet<u32>,
    /// When each table was last described in it: the number of that description among all.
    pub described: HashMap<u32, u64>,
    /// It has a message of the user's, which does not say to which part it belongs.
    has_message: bool,
}

impl StreamedTransaction {
    fn memory(&self) -> usize {
        self.held.memory() + self.rolled_back.len() * ROLLED_BACK_BYTES
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
            let transaction = StreamedTransaction {
                first_lsn: lsn,
                held: Held::default(),
                rolled_back: HashSet::new(),
                described: HashMap::new(),
                has_message: false,
            };
            self.open.insert(start.xid, transaction);
        } else if !self.open.contains_key(&start.xid) {
            return Err(PostgresError::OutOfPlace { what: "a later block of an unknown transaction", lsn });
        }
        self.receiving = Some(start.xid);
        Ok(())
    }

    /// A message of the block that is being received. `heard` numbers descriptions of tables.
    ///
    /// # Errors
    /// When it cannot stand there, cannot be held, or makes the transaction one that must come whole.
    pub fn message(&mut self, lsn: Lsn, body: &[u8], heard: &mut u64) -> Result<(), Failure> {
        let Some(transaction) = self.receiving.and_then(|xid| self.open.get_mut(&xid)) else { return Ok(()) };
        match body.first() {
            Some(b'I' | b'U' | b'D') => {}
            Some(b'E') => {
                self.receiving = None;
                return Ok(());
            }
            Some(b'Y') => return Ok(()),
            _ => match Message::parse(body, true)? {
                Message::Relation(relation) => {
                    *heard += 1;
                    transaction.described.insert(relation.id, *heard);
                }
                Message::Message(message) => transaction.has_message |= message.transactional,
                Message::Truncate(_) => {}
                Message::Origin(_) => {
                    return Err(PostgresError::MustComeWhole { why: "it came from another server", lsn }.into());
                }
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
        transaction.held.push(lsn, body);
        Ok(())
    }

    /// Brings memory within its limit. Called once for each block that was read, so that a message costs nothing here.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn keep_limit(&mut self) -> Result<(), PostgresError> {
        let mut memory: usize = self.open.values().map(StreamedTransaction::memory).sum();
        while memory as u64 > self.options.memory_bytes {
            let largest = self.open.iter_mut().max_by_key(|(_, transaction)| transaction.held.memory());
            let Some((xid, transaction)) = largest.filter(|(_, transaction)| transaction.held.memory() > 0) else {
                return Ok(());
            };
            if transaction.held.written() == 0 {
                tracing::info!(
                    transaction = xid,
                    folder = %self.options.folder.display(),
                    limit_bytes = self.options.memory_bytes,
                    "an open transaction goes to a file"
                );
            }
            memory -= transaction.held.memory();
            transaction.held.spill(&self.options.folder).map_err(|error| self.options.failed(error))?;
        }
        Ok(())
    }

    /// A transaction, or a part of it, was rolled back.
    ///
    /// # Errors
    /// When what belongs to the part cannot be told.
    pub fn abort(&mut self, abort: &StreamAbort, lsn: Lsn) -> Result<(), PostgresError> {
        if abort.xid == abort.subxid {
            self.open.remove(&abort.xid);
            return Ok(());
        }
        let Some(transaction) = self.open.get_mut(&abort.xid) else { return Ok(()) };
        if transaction.has_message {
            let why = "a part of it was rolled back, and its messages do not say to which part they belong";
            return Err(PostgresError::MustComeWhole { why, lsn });
        }
        transaction.rolled_back.insert(abort.subxid);
        Ok(())
    }

    /// A transaction was committed.
    ///
    /// # Errors
    /// When it is not known.
    pub fn commit(&mut self, commit: &StreamCommit, lsn: Lsn) -> Result<StreamedTransaction, PostgresError> {
        let what = "the end of an unknown transaction";
        self.open.remove(&commit.xid).ok_or(PostgresError::OutOfPlace { what, lsn })
    }

    /// The failure of a file, with what can be done about it.
    pub fn failed(&self, error: std::io::Error) -> PostgresError {
        self.options.failed(error)
    }
}

impl StreamingOptions {
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
            let options = StreamingOptions { memory_bytes: 4_000, folder: folder.path().to_owned() };
            let mut streamed = Streamed::new(options);
            let mut expected: HashMap<u32, Vec<(u32, u32)>> = HashMap::new();
            for ((what, transaction, part), number) in steps.into_iter().zip(0..) {
                let (xid, part) = (100 * (transaction + 1), 100 * (transaction + 1) + part);
                match what {
                    0 => {
                        streamed.abort(&StreamAbort { xid, subxid: xid, abort: None }, Lsn(1)).unwrap();
                        expected.remove(&xid);
                    }
                    // A part that was rolled back has no more rows: the next one has another number.
                    1 if part != xid => {
                        let known = expected.contains_key(&xid);
                        if known && !streamed.open[&xid].rolled_back.contains(&part) {
                            streamed.abort(&StreamAbort { xid, subxid: part, abort: None }, Lsn(1)).unwrap();
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
        for body in [&b""[..], b"C", b"Z", b"S\0\0\0\x07\x01", b"c", b"R\0", b"O\0\0\0\0\0\0\0\x01o\0"] {
            assert!(streamed.message(Lsn(1), body, &mut 0).is_err(), "{body:?}");
        }
    }

    #[test]
    fn messages_of_parts_that_are_rolled_back_cannot_be_told_apart() {
        let mut streamed = Streamed::new(StreamingOptions::default());
        receive(&mut streamed, 7, true, b"M\0\0\0\x07\x01\0\0\0\0\0\0\0\x01p\0\0\0\0\0");
        let part = streamed.abort(&StreamAbort { xid: 7, subxid: 8, abort: None }, Lsn(1));
        assert!(matches!(part, Err(PostgresError::MustComeWhole { .. })));
        assert!(streamed.abort(&StreamAbort { xid: 7, subxid: 7, abort: None }, Lsn(1)).is_ok());
    }
}
