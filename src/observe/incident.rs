//! What is remembered of an incident.

use serde_json::{Value, json};

/// The end of an incident after which changes flow.
pub const FLOWS_AGAIN: &str = "changes flow again";

/// Something kept changes from flowing, from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Unique in this process and unlikely anywhere else: `connector-milliseconds`.
    pub id: String,
    /// The connector.
    pub connector: String,
    /// The verdict's name.
    pub verdict: String,
    /// `HW0951`.
    pub code: String,
    /// What was seen, a line each; what came later is added.
    pub evidence: Vec<String>,
    /// When changes ceased to flow, as far as it is known, in milliseconds since the epoch.
    pub began_ms: i64,
    /// How long it took to be noticed.
    pub noticed_after_ms: i64,
    /// How long it lasted; `None` while it does.
    pub lasted_ms: Option<i64>,
    /// The stored position when it began.
    pub stored_before: String,
    /// The stored position when it was over.
    pub stored_after: String,
    /// What was done, a line each.
    pub actions: Vec<String>,
    /// Records that were sent and given up unacknowledged: they came again.
    pub replayed: u64,
    /// How it ended: [`FLOWS_AGAIN`] or another sentence; empty while it lasts. Shown as the last line of the evidence.
    pub end: &'static str,
}

impl Incident {
    /// Whether it lasts no longer.
    pub fn is_over(&self) -> bool {
        self.lasted_ms.is_some()
    }

    /// As it is shown and written.
    pub fn json(&self) -> Value {
        json!({
            "id": self.id,
            "connector": self.connector,
            "state": if self.is_over() { "over" } else { "open" },
            "verdict": self.verdict,
            "code": self.code,
            "evidence": self.evidence,
            "began_ms": self.began_ms,
            "noticed_after_ms": self.noticed_after_ms,
            "lasted_ms": self.lasted_ms,
            "stored_position_before": self.stored_before,
            "stored_position_after": self.stored_after,
            "actions": self.actions,
            "records_replayed": self.replayed,
        })
    }
}
