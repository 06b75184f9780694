//! What reading a stream costs.

/// What a stream has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamCounters {
    /// Reads of the line.
    pub reads: u64,
    /// Waits for the line.
    pub waits: u64,
    /// Pauses in a backlog.
    pub pauses: u64,
    /// Protocol bytes read, headers included.
    pub bytes: u64,
}
