//! Incidents on their way into a topic.
//!
//! In: incidents, when they begin and when they are over; somebody who sends one and may take as long as a broker does. Out:
//! each of them sent, in order. Promised: what cannot be sent waits and is tried again until it is, [`WAITING`] of them at
//! most, the latest; why it cannot is logged once. What waits does not survive the process: the log and the file have it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flume::{Receiver, RecvTimeoutError};

use crate::error::Failure;
use crate::observe::incident::Incident;
use crate::util::backoff::Backoff;
use crate::util::clock;

/// Sends an incident, as it is now.
pub type Send = dyn FnMut(&Incident) -> Result<(), Failure> + std::marker::Send;

/// Incidents that may wait to be sent: a few megabytes.
const WAITING: usize = 1_000;

/// The first and the longest wait before they are tried again.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How long somebody sleeps who has nothing to send.
const LONG: Duration = Duration::from_secs(3_600);

/// Sends what comes until nobody is there who could leave something. `undone`: counts what was left and not tried yet.
pub(super) fn run(send: Box<Send>, incidents: &Receiver<Incident>, undone: &AtomicUsize) {
    let backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    let mut topic = Topic { send, waiting: VecDeque::new(), due: None, backoff, trouble: None };
    loop {
        let left = topic.due.map_or(LONG, |due| due.saturating_duration_since(clock::moment()));
        match incidents.recv_timeout(left) {
            Ok(incident) => {
                topic.take(incident);
                topic.send_due();
                undone.fetch_sub(1, Ordering::SeqCst);
            }
            Err(RecvTimeoutError::Timeout) => topic.send_due(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

struct Topic {
    send: Box<Send>,
    waiting: VecDeque<Incident>,
    /// When those that could not be sent are tried again.
    due: Option<Instant>,
    backoff: Backoff,
    /// What failed last.
    trouble: Option<String>,
}

impl Topic {
    fn take(&mut self, incident: Incident) {
        if self.waiting.len() >= WAITING
            && let Some(oldest) = self.waiting.pop_front()
        {
            tracing::warn!(incident = oldest.id, "too many incidents wait for their topic; the log has this one");
        }
        self.waiting.push_back(incident);
    }

    /// Sends all that wait, unless a failure is too young.
    fn send_due(&mut self) {
        if self.due.is_some_and(|due| due > clock::moment()) {
            return;
        }
        self.due = None;
        while let Some(incident) = self.waiting.front() {
            if let Err(failure) = (self.send)(incident) {
                self.due = Some(clock::moment() + self.backoff.next_delay());
                let waiting = self.waiting.len();
                if self.trouble.replace(failure.message.clone()).is_none_or(|before| before != failure.message) {
                    tracing::warn!(code = %failure.code, reason = %failure.message, hint = failure.code.hint, waiting, "incidents are not sent to their topic yet");
                }
                return;
            }
            self.waiting.pop_front();
            self.backoff.reset();
            if self.trouble.take().is_some() {
                tracing::info!("incidents are sent to their topic again");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::sync::{Arc, Mutex};

    use super::*;

    fn incident(number: usize) -> Incident {
        Incident {
            id: format!("c-{number}"),
            connector: "c".to_owned(),
            verdict: "source_silent".to_owned(),
            code: "HW0951".to_owned(),
            evidence: Vec::new(),
            began_ms: 0,
            noticed_after_ms: 0,
            lasted_ms: None,
            stored_before: String::new(),
            stored_after: String::new(),
            actions: Vec::new(),
            replayed: 0,
            end: "",
        }
    }

    /// While nothing can be sent the latest wait; then they come, in their order.
    #[test]
    fn what_cannot_be_sent_waits() {
        let (sent, fails) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(true)));
        let (kept, fail) = (sent.clone(), fails.clone());
        let send = move |incident: &Incident| {
            if *fail.lock().unwrap() {
                let error = crate::pipeline::error::PipelineError::Abandoned { batches: 1 };
                return Err(error.into());
            }
            kept.lock().unwrap().push(incident.id.clone());
            Ok(())
        };
        let backoff = Backoff::new(Duration::from_secs(3_600), Duration::from_secs(3_600));
        let mut topic = Topic { send: Box::new(send), waiting: VecDeque::new(), due: None, backoff, trouble: None };
        for number in 0..WAITING + 2 {
            topic.take(incident(number));
            topic.send_due();
        }
        *fails.lock().unwrap() = false;
        topic.send_due();
        assert!(sent.lock().unwrap().is_empty(), "the failure is too young");
        topic.due = Some(clock::moment());
        topic.send_due();
        let expected: Vec<String> = (2..WAITING + 2).map(|number| format!("c-{number}")).collect();
        assert_eq!(*sent.lock().unwrap(), expected);
        assert!(topic.due.is_none() && topic.trouble.is_none());
    }
}
