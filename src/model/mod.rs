//! The vocabulary of the house: what the rooms hand to each other.
//!
//! In: nothing. Out: types. Promised: no input or output, no clock, no async; a [`Row`](row::Row) stays in
//! the bytes it came in, and what a codec must make on the way (a transcoded string, a formatted time) lies
//! in a [`value::Arena`] that is reset between batches, so that a row costs no allocation.
//! Nothing here survives a crash.
//!
//! ```text
//!  source ──Batch{Change…}──▶ envelope ──Record──▶ serialize ──EncodedBatch──▶ sink
//!             │ Ticket                                             │ Ticket      │ settled
//!             └──────────── Position ◀── ack ◀─────────────────────┴─────────────┘
//! ```

pub mod change;
pub mod encoded;
pub mod modes;
pub mod position;
pub mod record;
pub mod row;
pub mod schema;
pub mod table;
pub mod ticket;
pub mod value;
