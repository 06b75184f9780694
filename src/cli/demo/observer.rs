//! The story of the hanging connection, as the connector's own status tells it.

use std::time::Duration;

use crate::pipeline::status::{State, Status};

/// What happened, and when, since the demo began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Incident {
    hung: Duration,
    noticed: Option<(Duration, [String; 2])>,
    over: Option<Duration>,
}

impl Incident {
    /// Whether the connector noticed it and runs again.
    pub(super) fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// The incident in a sentence.
    pub(super) fn sentence(&self) -> String {
        let seconds = |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64();
        match (&self.noticed, self.over) {
            (Some((noticed, _)), Some(over)) => format!(
                "The connection hung at {:.1} s, was noticed {:.1} s later, and reading went on {:.2} s after that.",
                self.hung.as_secs_f64(),
                seconds(self.hung, *noticed),
                seconds(*noticed, over),
            ),
            (Some((noticed, _)), None) => format!(
                "The connection hung at {:.1} s and was noticed {:.1} s later; reading has not gone on since.",
                self.hung.as_secs_f64(),
                seconds(self.hung, *noticed),
            ),
            (None, _) => format!("The connection hung at {:.1} s, and nobody noticed.", self.hung.as_secs_f64()),
        }
    }
}

/// Watches the connector's status.
#[derive(Debug, Default)]
pub(super) struct Observer {
    incident: Option<Incident>,
    disconnects_before: u64,
}

impl Observer {
    /// Whether the connection was made to hang.
    pub(super) fn has_begun(&self) -> bool {
        self.incident.is_some()
    }

    /// The connection hangs from now on.
    pub(super) fn begin(&mut self, now: Duration, disconnects: u64) {
        self.incident = Some(Incident { hung: now, noticed: None, over: None });
        self.disconnects_before = disconnects;
    }

    /// Looks at the status.
    pub(super) fn look(&mut self, now: Duration, status: &Status, disconnects: u64) {
        let Some(incident) = &mut self.incident else { return };
        if incident.noticed.is_none() && disconnects > self.disconnects_before {
            let reason = match &status.failure {
                Some(failure) => [format!("{}: {}", failure.code, failure.code.title), failure.message.clone()],
                None => ["the connection was dropped".to_owned(), String::new()],
            };
            incident.noticed = Some((now, reason));
        }
        if incident.noticed.is_some() && incident.over.is_none() && status.state == State::Running {
            incident.over = Some(now);
        }
    }

    /// What happened so far, a line each.
    pub(super) fn told(&self) -> Vec<String> {
        let Some(incident) = &self.incident else { return Vec::new() };
        let line = |at: Duration, text: &str| format!("{:5.1} s  {text}", at.as_secs_f64());
        let mut lines = vec![line(incident.hung, "the connection hangs: no byte passes, TCP lives, nobody is told")];
        if let Some((noticed, [title, message])) = &incident.noticed {
            lines.push(line(*noticed, &format!("RESTARTING  {title}")));
            lines.push(format!("{:21}{message}", ""));
        }
        if let Some(over) = incident.over {
            lines.push(line(over, "RUNNING     on a new connection, from where reading stood"));
        }
        lines
    }

    /// The incident, if there was one.
    pub(super) fn incident(&self) -> Option<Incident> {
        self.incident.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(state: State) -> Status {
        Status { state, since_ms: 0, failure: None, attempt: 0, next_attempt_ms: 0 }
    }

    #[test]
    fn an_incident_is_told_from_its_beginning_to_its_end() {
        let mut observer = Observer::default();
        observer.look(Duration::from_secs(1), &status(State::Running), 3);
        assert!(observer.told().is_empty());
        observer.begin(Duration::from_secs(8), 3);
        observer.look(Duration::from_secs(9), &status(State::Running), 3);
        assert_eq!(observer.told().len(), 1);
        observer.look(Duration::from_millis(9_600), &status(State::Restarting), 4);
        assert_eq!(observer.told().len(), 3);
        observer.look(Duration::from_millis(9_650), &status(State::Running), 4);
        let expected = "The connection hung at 8.0 s, was noticed 1.6 s later, and reading went on 0.05 s after that.";
        assert_eq!(observer.incident().map(|incident| incident.sentence()).as_deref(), Some(expected));
    }
}
