//! What only a connection to MySQL and MariaDB does.

use super::Doing;

impl Doing {
    /// Waiting for the server's greeting.
    pub const GREETING: Self = Self::named("waiting for the server's greeting");
    /// COM_PING.
    pub const PING: Self = Self::named("a ping");
    /// Asking for the binlog.
    pub const DUMP: Self = Self::named("asking for the binlog");
    /// Reading the binlog.
    pub const STREAM: Self = Self::named("reading the binlog");
}
