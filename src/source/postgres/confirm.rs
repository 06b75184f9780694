//! What the server may forget: told to whichever stream is open.

use std::sync::{Arc, Mutex, PoisonError};

use super::connection::{ConfirmedLsn, Lsn};
use super::position::PostgresPosition;
use crate::model::position::{OffsetMap, StoredOffset};

/// Carries stored positions to the slot. Clones share one.
#[derive(Clone, Debug, Default)]
pub struct Confirmation(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    latest: Lsn,
    stream: Option<Arc<ConfirmedLsn>>,
}

impl Confirmation {
    /// A position was stored: the slot need not keep what comes before it.
    pub fn stored(&self, offset: &OffsetMap) {
        let Ok(position) = PostgresPosition::from_stored(&StoredOffset(offset.clone())) else { return };
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.latest = state.latest.max(position.start());
        if let Some(stream) = &state.stream {
            stream.advance(state.latest);
        }
    }

    /// A stream has begun.
    pub(super) fn attach(&self, stream: Arc<ConfirmedLsn>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stream.advance(state.latest);
        state.stream = Some(stream);
    }
}
