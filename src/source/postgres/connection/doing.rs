//! What only a connection to PostgreSQL does.

use super::Doing;

impl Doing {
    /// Asking whether the server speaks TLS.
    pub const TLS_REQUEST: Self = Self::named("asking the server for TLS");
    /// `START_REPLICATION`.
    pub const START_REPLICATION: Self = Self::named("starting the replication stream");
    /// Reading the stream.
    pub const REPLICATION: Self = Self::named("reading the replication stream");
    /// A standby status update.
    pub const STATUS: Self = Self::named("reporting the confirmed position");
}
