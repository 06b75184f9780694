//! The recorder: writes incidents down and tells people, on threads that may wait for a disk or a network.
//!
//! In: an incident when it begins and when it is over. Out: a line of JSON each in the incident file, a record each in
//! the topic of incidents, and a notice each to the addresses that want them. Promised: a watchdog never waits for it, and the file never waits for the network; what
//! it cannot keep up with is dropped and said. The file is only ever appended to.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flume::{Receiver, Sender, bounded};

use super::error::WatchdogError;
use super::notice::{Address, Notices};
use super::topic;
use crate::error::{Coded, Failure};
use crate::observe::incident::Incident;
use crate::pipeline::thread;
use crate::util::{clock, stop::Stop};

/// Incidents that may wait to be written.
const QUEUE_LENGTH: usize = 256;

/// How often the end of the process looks whether all is written.
const FLUSH_POLL: Duration = Duration::from_millis(20);

/// Where incidents go.
#[derive(Clone, Default)]
pub struct RecorderOptions {
    /// `headwater.incidents.file`.
    pub file: Option<PathBuf>,
    /// `headwater.notices.urls`. They are secrets.
    pub urls: Vec<String>,
    /// `headwater.notices.after.ms`.
    pub after: Duration,
}

/// Where a watchdog leaves incidents.
#[derive(Clone, Debug)]
pub struct Recorder {
    /// To those who write and tell.
    queues: Vec<Sender<Incident>>,
    /// What they were given and have not done yet.
    undone: Arc<AtomicUsize>,
}

impl Recorder {
    /// One that leaves incidents to the log and to REST.
    pub fn none() -> Self {
        Recorder { queues: Vec::new(), undone: Arc::default() }
    }

    /// One that writes; its threads end with the last clone.
    ///
    /// # Errors
    /// When an address is none, or a thread cannot be started.
    pub fn start(options: RecorderOptions) -> Result<Self, Failure> {
        let mut recorder = Recorder::none();
        let addresses = Address::all(&options.urls)?;
        if let Some(path) = options.file {
            let (incidents, undone) = recorder.queue();
            thread::spawn("incidents", move || {
                for incident in incidents {
                    append(&path, &incident);
                    undone.fetch_sub(1, Ordering::SeqCst);
                }
            })?;
        }
        if !addresses.is_empty() {
            let (incidents, undone) = recorder.queue();
            let notices = Notices::new(addresses, options.after);
            thread::spawn("notices", move || tell(notices, &incidents, &undone))?;
        }
        Ok(recorder)
    }

    /// The same, that also sends incidents to a topic; on a thread that may wait for a broker.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn with_topic(mut self, send: Box<topic::Send>) -> Result<Self, Failure> {
        let (incidents, undone) = self.queue();
        thread::spawn("incident-topic", move || topic::run(send, &incidents, &undone))?;
        Ok(self)
    }

    fn queue(&mut self) -> (Receiver<Incident>, Arc<AtomicUsize>) {
        let (queue, incidents) = bounded(QUEUE_LENGTH);
        self.queues.push(queue);
        (incidents, self.undone.clone())
    }

    /// Leaves an incident, as it is now.
    pub fn record(&self, incident: &Incident) {
        for queue in &self.queues {
            self.undone.fetch_add(1, Ordering::SeqCst);
            if queue.try_send(incident.clone()).is_err() {
                self.undone.fetch_sub(1, Ordering::SeqCst);
                tracing::warn!(incident = incident.id, "too many incidents to write them down; the log has this one");
            }
        }
    }

    /// Waits until what was left is written and was tried to tell, at most so long: before the process ends.
    pub fn flush(&self, patience: Duration) {
        let (deadline, wait) = (clock::moment() + patience, Stop::new());
        while self.undone.load(Ordering::SeqCst) > 0 && clock::left_until(deadline).is_some() {
            wait.wait(FLUSH_POLL);
        }
    }
}

fn tell(mut notices: Notices, incidents: &Receiver<Incident>, undone: &AtomicUsize) {
    loop {
        match incidents.recv_timeout(notices.next_due()) {
            Ok(incident) => {
                notices.take(&incident);
                undone.fetch_sub(1, Ordering::SeqCst);
            }
            Err(flume::RecvTimeoutError::Timeout) => notices.send_due(),
            Err(flume::RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn append(path: &Path, incident: &Incident) {
    let line = format!("{}\n", incident.json());
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    if let Err(error) = file.and_then(|mut file| file.write_all(line.as_bytes())) {
        let error = WatchdogError::IncidentFile { file: path.display().to_string(), message: error.to_string() };
        tracing::warn!(code = %error.code(), reason = %error, hint = error.code().hint, "an incident was not written down");
    }
}
