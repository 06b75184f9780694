//! Handing over a transaction that came in blocks while it was open: as if it had come whole.
//!
//! The same begin, rows and end as of any other transaction, with the same places in the log; so position, order and
//! metadata come out the same. What stood behind its commit in the block that was read waits until it is handed over.
//!
//! A server of version 15 or later that sends a transaction whole begins it with its first change that is published, and
//! does not tell one that has none; so it is here. One of version 14 tells each, from its first change of any kind.

use std::sync::atomic::Ordering;

use super::{Context, PostgresSource};
use crate::error::Failure;
use crate::model::change::Batch;
use crate::source::postgres::connection::{Lsn, WalMessage};
use crate::source::postgres::error::PostgresError;
use crate::source::postgres::pgoutput::{Begin, Commit, Message, StreamAbort, StreamCommit, StreamStart};
use crate::source::postgres::spill::Replay;
use crate::source::postgres::streamed::{Streamed, StreamedTransaction};

/// What is left of a block behind the commit of a streamed transaction.
#[derive(Default)]
pub(super) struct Rest {
    block: Vec<u8>,
    messages: Vec<WalMessage>,
}

/// A committed transaction that is being handed over.
pub(super) struct Replaying {
    commit: StreamCommit,
    transaction: StreamedTransaction,
    replay: Replay,
}

/// Whether transactions are asked for while they are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// They are.
    Open,
    /// They were, until one of them turned out to have to come whole: a new connection is due.
    GivenUp,
    /// They are not.
    Whole,
}

/// Transactions that come while they are open.
pub(super) struct Streaming {
    /// Those that are open.
    pub streamed: Streamed,
    /// The one that is handed over.
    pub replaying: Option<Replaying>,
    /// What comes behind it.
    pub rest: Rest,
    /// Whether they are asked for.
    pub asked: Asked,
}

impl Streaming {
    pub(super) fn new(asked: Asked, streamed: Streamed) -> Self {
        Streaming { streamed, replaying: None, rest: Rest::default(), asked }
    }

    /// A new stream sends all of it again.
    pub(super) fn clear(&mut self) {
        self.streamed.clear();
        self.replaying = None;
        self.rest = Rest::default();
        if self.asked == Asked::GivenUp {
            self.asked = Asked::Whole;
        }
    }

    /// Whether nothing that was read waits to be handed over.
    pub(super) fn is_caught_up(&self) -> bool {
        self.replaying.is_none() && self.rest.messages.is_empty()
    }

    /// What cannot be held, or not told apart, comes whole on the next connection: the server then holds it.
    pub(super) fn judge<T>(&mut self, result: Result<T, PostgresError>) -> Result<T, PostgresError> {
        if let Err(PostgresError::MustComeWhole { .. } | PostgresError::Spill { .. }) = &result {
            self.asked = Asked::GivenUp;
        }
        result
    }
}

impl Rest {
    /// Keeps what of a block has not been read.
    pub(super) fn keep(&mut self, block: &[u8], messages: &[WalMessage]) {
        let (Some(first), Some(last)) = (messages.first(), messages.last()) else { return };
        let start = first.range.start;
        self.block.clear();
        self.block.extend_from_slice(block.get(start as usize..last.range.end as usize).unwrap_or_default());
        let moved = |message: &WalMessage| WalMessage {
            range: message.range.start - start..message.range.end - start,
            ..message.clone()
        };
        self.messages.extend(messages.iter().map(moved));
    }

    /// Gives it back.
    pub(super) fn take(&mut self, block: &mut Vec<u8>, messages: &mut Vec<WalMessage>) -> bool {
        if self.messages.is_empty() {
            return false;
        }
        std::mem::swap(block, &mut self.block);
        std::mem::swap(messages, &mut self.messages);
        self.messages.clear();
        true
    }
}

impl PostgresSource {
    /// A block of an open transaction begins.
    pub(super) fn stream_start(&mut self, start: &StreamStart, context: &Context<'_>) -> Result<(), Failure> {
        self.outside("a block of an open transaction inside another", context)?;
        Ok(self.streaming.streamed.start(start, context.lsn)?)
    }

    /// A message of an open transaction.
    pub(super) fn hold(&mut self, context: &Context<'_>, body: &[u8]) -> Result<(), Failure> {
        self.streaming.streamed.message(context.lsn, body, self.relations.heard_mut())
    }

    /// Brings what is held within its limit.
    pub(super) fn keep_limit(&mut self) -> Result<(), Failure> {
        let kept = self.streaming.streamed.keep_limit();
        Ok(self.streaming.judge(kept)?)
    }

    /// An open transaction, or a part of it, was rolled back.
    pub(super) fn stream_abort(&mut self, abort: &StreamAbort, context: &Context<'_>) -> Result<(), Failure> {
        self.outside("a rollback inside a transaction", context)?;
        self.streaming.streamed.abort(abort);
        Ok(())
    }

    /// An open transaction was committed: it is handed over before anything else is.
    pub(super) fn stream_commit(&mut self, commit: &StreamCommit, context: &Context<'_>) -> Result<(), Failure> {
        self.outside("a commit inside a transaction", context)?;
        let committed = self.streaming.streamed.commit(commit, context.lsn);
        let mut transaction = self.streaming.judge(committed)?;
        // Where no origins are known none is told, whoever sends the transaction.
        if transaction.is_origin_in_doubt() && self.catalog.has_origins()? {
            let why = "it may have come from another server: its first change does not say";
            self.streaming.judge::<()>(Err(PostgresError::MustComeWhole { why, lsn: context.lsn }))?;
        }
        let held = std::mem::take(&mut transaction.held);
        tracing::debug!(transaction = commit.xid, file_bytes = held.written(), "a streamed transaction was committed");
        self.relations.begin_streamed();
        self.streaming.replaying = Some(Replaying { commit: *commit, transaction, replay: held.replay() });
        Ok(())
    }

    /// Hands over the next block of the committed transaction. Says whether there is one that is being handed over.
    pub(super) fn replay(&mut self, batch: &mut Batch) -> Result<bool, Failure> {
        let Some(mut replaying) = self.streaming.replaying.take() else { return Ok(false) };
        if self.tells_empty {
            self.begin_replayed(batch, &replaying, replaying.transaction.first_lsn);
        }
        let mut messages = std::mem::take(&mut self.messages);
        let more = replaying.replay.next(&mut batch.block, &mut messages);
        let more = more.map_err(|error| self.streaming.streamed.failed(error));
        if self.streaming.judge(more)? {
            batch.bytes = batch.block.len();
            // Nothing is read from the server meanwhile: what is handed over shows that it gets on.
            self.reached.heard.fetch_add(batch.block.len() as u64, Ordering::Relaxed);
            let block = std::mem::take(&mut batch.block);
            let mut result = Ok(());
            for message in &messages {
                let context =
                    Context { block: &block, lsn: message.start_lsn, range: message.range.clone(), streamed: true };
                result = self.replayed(batch, &context, &replaying);
                if result.is_err() {
                    break;
                }
            }
            (batch.block, self.messages) = (block, messages);
            self.keep_failure(batch, result)?;
            self.streaming.replaying = Some(replaying);
        } else {
            self.messages = messages;
            if self.progress.is_open() {
                let StreamCommit { commit_lsn, end_lsn, commit_time_us, .. } = replaying.commit;
                self.commit(batch, &Commit { commit_lsn, end_lsn, commit_time_us });
            }
            self.relations.end_streamed();
        }
        Ok(true)
    }

    /// The committed transaction begins with a change at `lsn`, unless it has begun.
    fn begin_replayed(&mut self, batch: &mut Batch, replaying: &Replaying, lsn: Lsn) {
        if !self.progress.is_open() {
            let StreamCommit { xid, commit_lsn, commit_time_us, .. } = replaying.commit;
            self.begin(batch, &Begin { final_lsn: commit_lsn, commit_time_us, xid }, lsn);
        }
    }

    /// A message of the committed transaction: what belongs to a part that was rolled back is passed over.
    fn replayed(&mut self, batch: &mut Batch, context: &Context<'_>, replaying: &Replaying) -> Result<(), Failure> {
        let body = context.body();
        // Each of them has the number of its part behind its letter.
        let part = body.get(1..5).and_then(|bytes| bytes.first_chunk::<4>()).map(|bytes| u32::from_be_bytes(*bytes));
        let rolled_back = part.is_some_and(|part| replaying.transaction.rolled_back.contains(&part));
        if body.first() == Some(&b'R') {
            let Message::Relation(relation) = Message::parse(body, true)? else { return Ok(()) };
            let Lsn(heard) = context.lsn;
            // A table is described once for all parts. If its part was rolled back, it may never have been like that.
            return match rolled_back {
                true => {
                    self.relations.tell(relation.id, body, heard);
                    Ok(())
                }
                false => self.relations.describe(&relation, heard, &self.options, &mut self.catalog),
            };
        }
        if rolled_back {
            return Ok(());
        }
        self.begin_replayed(batch, replaying, context.lsn);
        self.message(batch, context)
    }
}
