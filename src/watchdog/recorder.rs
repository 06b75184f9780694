//! The recorder: writes incidents down and tells people, on a thread that may wait for a disk or a network.
//!
//! In: an incident when it begins and when it is over. Out: a line of JSON each in the incident file, and a notice each to
//! the addresses that want them. Promised: a watchdog never waits for it; what it cannot keep up with is dropped and
//! said. The file is only ever appended to.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use flume::{Receiver, Sender, bounded};

use super::error::WatchdogError;
use super::notice::Notices;
use crate::error::{Coded, Failure};
use crate::observe::incident::Incident;

/// Incidents that may wait to be written.
const QUEUE_LENGTH: usize = 256;

/// Where incidents go.
#[derive(Clone, Debug, Default)]
pub struct RecorderOptions {
    /// `headwater.incidents.file`.
    pub file: Option<PathBuf>,
    /// `headwater.notices.urls`.
    pub urls: Vec<String>,
    /// `headwater.notices.after.ms`.
    pub after: Duration,
}

/// Where a watchdog leaves incidents.
#[derive(Clone, Debug)]
pub struct Recorder {
    queue: Option<Sender<Incident>>,
}

impl Recorder {
    /// One that leaves incidents to the log and to REST.
    pub fn none() -> Self {
        Recorder { queue: None }
    }

    /// One that writes; its thread ends with the last clone.
    ///
    /// # Errors
    /// When its thread cannot be started.
    pub fn start(options: RecorderOptions) -> Result<Self, Failure> {
        if options.file.is_none() && options.urls.is_empty() {
            return Ok(Recorder::none());
        }
        let (queue, incidents) = bounded(QUEUE_LENGTH);
        let spawned =
            std::thread::Builder::new().name("incidents".to_owned()).spawn(move || write(&options, &incidents));
        spawned.map(|_| Recorder { queue: Some(queue) }).map_err(|error| {
            let thread = "incidents".to_owned();
            crate::pipeline::error::PipelineError::Spawn { thread, message: error.to_string() }.into()
        })
    }

    /// Leaves an incident, as it is now.
    pub fn record(&self, incident: &Incident) {
        let Some(queue) = &self.queue else { return };
        if queue.try_send(incident.clone()).is_err() {
            tracing::warn!(incident = incident.id, "too many incidents to write them down; the log has this one");
        }
    }
}

fn write(options: &RecorderOptions, incidents: &Receiver<Incident>) {
    let mut notices = Notices::new(&options.urls, options.after);
    loop {
        match incidents.recv_timeout(notices.next_due()) {
            Ok(incident) => {
                append(options, &incident);
                notices.take(&incident);
            }
            Err(flume::RecvTimeoutError::Timeout) => notices.send_due(),
            Err(flume::RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn append(options: &RecorderOptions, incident: &Incident) {
    let Some(path) = &options.file else { return };
    let line = format!("{}\n", incident.json());
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    if let Err(error) = file.and_then(|mut file| file.write_all(line.as_bytes())) {
        let error = WatchdogError::IncidentFile { file: path.display().to_string(), message: error.to_string() };
        tracing::warn!(code = %error.code(), reason = %error, hint = error.code().hint, "an incident was not written down");
    }
}
