//! What can be wrong with a message of the plugin.

use super::super::wire::WireError;
use crate::error::{Code, Coded, Disposition};

/// A message that is not what the manual says it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PgOutputError {
    /// A field is missing or impossible.
    #[error("pgoutput: {0}")]
    Malformed(#[from] WireError),
    /// A message that is not known.
    #[error("pgoutput: a message of type {0:?} is not known")]
    UnknownType(char),
}

static MALFORMED: Code = Code {
    number: 1310,
    disposition: Disposition::Retry,
    title: "A message of the replication stream is cut short or malformed",
    hint: "Bytes were damaged on the way, or the slot's plugin is not pgoutput: SELECT plugin FROM pg_replication_slots WHERE \
           slot_name = 'name'; Headwater reconnects; nothing was stored beyond the message.",
};
static UNKNOWN_TYPE: Code = Code {
    number: 1311,
    disposition: Disposition::Stop,
    title: "A message of the replication stream is of an unknown type",
    hint: "The slot's plugin is not pgoutput (SELECT plugin FROM pg_replication_slots WHERE slot_name = 'name';), or an option in \
           slot.stream.params makes the server send what Headwater does not read.",
};

impl Coded for PgOutputError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Malformed(_) => &MALFORMED,
            Self::UnknownType(_) => &UNKNOWN_TYPE,
        }
    }
}

/// The pages of this room, for `headwater explain`.
pub const CODES: &[&Code] = &[&MALFORMED, &UNKNOWN_TYPE];
