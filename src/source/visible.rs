//! Waiting for a transaction to be seen by other sessions.
//!
//! A server sends a transaction when it is in the log, and shows it to others a little later: much later where its commit
//! waits for a synchronous replica. In: a question whose answer says whether the transaction was seen. Out: the answer that
//! saw it. Promised: an end within [`LIMIT`] and the time of one question; a transaction that was waited for in vain is not
//! waited for again, and those that come shortly behind it are not waited for as long. Nothing here survives a crash.

use std::time::{Duration, Instant};

use crate::error::Failure;
use crate::util::{clock, stop::Stop};

/// How long a transaction is waited for, and how long each question may take. Rows wait for it.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// For how long, after one was waited for in vain and until one is seen, the next ones are waited for shortly only: what
/// holds up one commit holds up many, and rows must not wait long for each of them.
const HELD_UP: Duration = Duration::from_secs(60);

/// How long that is.
const SHORT: Duration = Duration::from_secs(1);

/// How long to wait before the question is asked again: first, and at most. Each time is twice the one before.
const PAUSES: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(200)];

/// Waits for transactions.
pub(super) struct Visibility<T> {
    stop: Stop,
    given_up: Option<(T, Instant)>,
}

impl<T: Clone + PartialEq> Visibility<T> {
    pub fn new(stop: Stop) -> Self {
        Visibility { stop, given_up: None }
    }

    fn limit(&self) -> Duration {
        let is_held_up = self.given_up.as_ref().is_some_and(|(_, at)| at.elapsed() < HELD_UP);
        if is_held_up { SHORT } else { LIMIT }
    }

    /// What `ask` gives when it sees the transaction; nothing when it does not within the limit.
    ///
    /// # Errors
    /// Those of `ask`.
    pub fn wait<A>(
        &mut self,
        transaction: &T,
        mut ask: impl FnMut() -> Result<Option<A>, Failure>,
    ) -> Result<Option<A>, Failure> {
        let (began, [mut pause, longest]) = (clock::moment(), PAUSES);
        loop {
            if let Some(answer) = ask()? {
                self.given_up = None;
                return Ok(Some(answer));
            }
            if self.given_up.as_ref().is_some_and(|(given_up, _)| given_up == transaction) {
                return Ok(None);
            }
            if began.elapsed() >= self.limit() {
                self.given_up = Some((transaction.clone(), clock::moment()));
                return Ok(None);
            }
            // Where it stops, the next question says so.
            self.stop.wait(pause);
            pause = longest.min(pause * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_transaction_is_waited_for_once() {
        let mut visibility = Visibility::new(Stop::new());
        let mut asked = 0;
        let third = visibility.wait(&7, || {
            asked += 1;
            Ok((asked == 3).then_some("seen"))
        });
        assert_eq!((third.unwrap(), asked), (Some("seen"), 3));
        visibility.given_up = Some((8, clock::moment()));
        let mut asked = 0;
        let never = visibility.wait(&8, || {
            asked += 1;
            Ok(None::<()>)
        });
        assert_eq!((never.unwrap(), asked), (None, 1));
        assert_eq!(visibility.limit(), SHORT);
        visibility.wait(&9, || Ok(Some(()))).unwrap();
        assert_eq!(visibility.limit(), LIMIT);
    }
}
