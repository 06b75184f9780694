//! What the watchdog asks of a pipeline: a new connection, a new attempt.
//!
//! In: an order with the failure that explains it. Out: the same, once, to the thread that obeys. Promised: giving and
//! looking cost a load of memory while there is no order; nobody waits for anybody.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::error::Failure;

/// An order that is given by one thread and taken by another.
#[derive(Debug, Default)]
pub struct Order {
    given: AtomicBool,
    because: Mutex<Option<Failure>>,
}

impl Order {
    /// Gives it; one that was not taken yet is replaced.
    pub fn give(&self, because: Failure) {
        *self.because.lock().unwrap_or_else(PoisonError::into_inner) = Some(because);
        self.given.store(true, Ordering::Release);
    }

    /// Takes it, if it was given.
    pub fn take(&self) -> Option<Failure> {
        if !self.given.swap(false, Ordering::AcqRel) {
            return None;
        }
        self.because.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What may be asked of one pipeline.
#[derive(Debug, Default)]
pub struct Orders {
    /// To the reader: drop the connection and make a new one.
    pub renew_source: Order,
    /// To the supervisor: give the attempt up and build the pipeline again from the stored position.
    pub restart: Order,
    /// Why the pipeline was asked to end, in a sentence.
    pub end: OnceLock<&'static str>,
}

impl Orders {
    /// A new attempt begins: orders to the one before are void.
    pub fn begin(&self) {
        self.renew_source.take();
        self.restart.take();
    }
}
