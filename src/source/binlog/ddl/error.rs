//! Why a statement that shapes tables could not be applied.

use crate::error::{Code, Coded, Disposition};
use crate::model::table::TableId;

/// A statement that shapes tables could not be applied; the tracked tables are as they were before it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DdlError {
    /// The text could not be read.
    #[error("cannot read the DDL statement at byte {position}: {excerpt:?}")]
    Unparseable {
        /// Where reading stopped, in bytes from the beginning of the statement as text.
        position: usize,
        /// At most 80 characters from there on.
        excerpt: String,
        /// The table that the statement creates or alters, spelled as in it: where that is not captured, the
        /// statement need not be understood.
        table: Option<TableId>,
    },
    /// A column that the statement changes is not in the tracked table: the tracked schema is not the server's.
    #[error("the DDL statement names column {column:?}, which table {table} is not known to have")]
    UnknownColumn {
        /// The table.
        table: TableId,
        /// The column as the statement names it.
        column: String,
    },
    /// A column of a type that is not known.
    #[error("cannot read the type of column {column:?} at byte {position}: {excerpt:?}")]
    UnknownType {
        /// The column.
        column: String,
        /// Where the type stands, in bytes from the beginning of the statement as text.
        position: usize,
        /// At most 80 characters from there on.
        excerpt: String,
        /// The table, spelled as in the statement: where it is not captured, the type need not be known.
        table: Option<TableId>,
    },
}

impl DdlError {
    /// The table that the statement creates or alters, where it was read so far.
    pub fn table(&self) -> Option<&TableId> {
        match self {
            DdlError::Unparseable { table, .. } | DdlError::UnknownType { table, .. } => table.as_ref(),
            DdlError::UnknownColumn { table, .. } => Some(table),
        }
    }

    /// The same error with its table.
    pub(super) fn about(mut self, subject: Option<TableId>) -> Self {
        match &mut self {
            DdlError::Unparseable { table, .. } | DdlError::UnknownType { table, .. } => *table = subject,
            DdlError::UnknownColumn { .. } => {}
        }
        self
    }
}

const UNPARSEABLE: Code = Code {
    number: 400,
    disposition: Disposition::Stop,
    title: "a DDL statement that shapes a table could not be read",
    hint: "report the statement; to go on without it set schema.history.internal.skip.unparseable.ddl=true, \
           and then take a new schema snapshot (snapshot.mode=recovery) if the statement changed a captured table",
};

const UNKNOWN_COLUMN: Code = Code {
    number: 401,
    disposition: Disposition::Stop,
    title: "a DDL statement changes a column that the tracked table does not have",
    hint: "the schema history misses an earlier change, as after SET sql_log_bin=0; \
           rebuild it with snapshot.mode=recovery",
};

const UNKNOWN_TYPE: Code = Code {
    number: 402,
    disposition: Disposition::Stop,
    title: "a DDL statement declares a column of an unknown type",
    hint: "report the statement with the server's version; to go on without it set \
           schema.history.internal.skip.unparseable.ddl=true",
};

/// The pages of this room, for `headwater explain`.
pub const CODES: &[&Code] = &[&UNPARSEABLE, &UNKNOWN_COLUMN, &UNKNOWN_TYPE];

impl Coded for DdlError {
    fn code(&self) -> &'static Code {
        match self {
            DdlError::Unparseable { .. } => &UNPARSEABLE,
            DdlError::UnknownColumn { .. } => &UNKNOWN_COLUMN,
            DdlError::UnknownType { .. } => &UNKNOWN_TYPE,
        }
    }
}
