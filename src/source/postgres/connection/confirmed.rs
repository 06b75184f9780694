//! The position that the server may forget up to.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Lsn;

/// What is confirmed to the server: set by whoever knows that everything before it is safe, from any thread. It only
/// grows. [`Lsn::INVALID`], with which it begins, confirms nothing.
#[derive(Debug, Default)]
pub struct ConfirmedLsn(AtomicU64);

impl ConfirmedLsn {
    /// Everything before `lsn` is safe. A smaller one than before changes nothing.
    pub fn advance(&self, lsn: Lsn) {
        self.0.fetch_max(lsn.0, Ordering::AcqRel);
    }

    /// What is confirmed.
    pub fn get(&self) -> Lsn {
        Lsn(self.0.load(Ordering::Acquire))
    }
}
