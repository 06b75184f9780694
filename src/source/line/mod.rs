//! The line to a database server: addresses, sockets, TLS, deadlines. The same for every source.
//!
//! In: a host's name, certificates, a deadline, a stop flag. Out: a [`Line`] that is read and written without
//! blocking, and [`wait`] for the moments between. Promised: every step ends, at the latest at its deadline, and
//! within 100 ms of the stop flag; an error says during what. What the bytes mean is the business of each source's own
//! protocol, and so are the pages of errors: each source gives a [`LineError`] its own.

mod certificates;
mod counters;
mod deadline;
mod error;
mod plain_or_tls;
mod socket;
mod store;
mod tls;

pub use certificates::{identity, trusted};
pub use counters::StreamCounters;
pub use deadline::{Deadline, Doing, Readiness, StopFlag, pause, wait};
pub use error::{LineError, beginning};
pub use plain_or_tls::{Line, READ_AHEAD_BYTES, Received};
pub use socket::connect;
pub use store::{Secret, Store};
pub use tls::{TlsOptions, Verify, handshake, prepare};
