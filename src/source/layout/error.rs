//! Why no layout can be made of a table.

use crate::error::{Code, Coded, Disposition};

/// Why no layout can be made of a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// An expression about columns takes too long to match.
    #[error("an expression about columns is too costly to match against {name}")]
    Regex {
        /// The name it was matched against.
        name: String,
    },
    /// Two columns have one name once `field.name.adjustment.mode` is applied.
    #[error("two columns of {table} become the field {field}")]
    DuplicateField {
        /// The table.
        table: String,
        /// The field.
        field: String,
    },
    /// The tracked key names a column that the table does not have.
    #[error("the key of {table} has the column {column}, which the table does not have")]
    KeyColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
}

impl LayoutError {
    pub(super) fn regex(name: &str) -> Self {
        LayoutError::Regex { name: name.into() }
    }
}

static REGEX: Code = Code {
    number: 370,
    disposition: Disposition::Stop,
    title: "a regular expression about columns takes too long to match",
    hint: "Rewrite the expression in column.include.list, column.exclude.list, message.key.columns or the masks without nested repetitions.",
};
static DUPLICATE_FIELD: Code = Code {
    number: 371,
    disposition: Disposition::Stop,
    title: "two columns of a table become one field",
    hint: "Set field.name.adjustment.mode to none or avro_unicode, or exclude one of the columns (column.exclude.list).",
};
static KEY_COLUMN: Code = Code {
    number: 372,
    disposition: Disposition::Stop,
    title: "the tracked key of a table has a column that the table does not have",
    hint: "The tracked definition is damaged. Compare SHOW CREATE TABLE with the schema history and restart with snapshot.mode=recovery.",
};

/// Every page of this room.
pub const CODES: &[&Code] = &[&REGEX, &DUPLICATE_FIELD, &KEY_COLUMN];

impl Coded for LayoutError {
    fn code(&self) -> &'static Code {
        match self {
            LayoutError::Regex { .. } => &REGEX,
            LayoutError::DuplicateField { .. } => &DUPLICATE_FIELD,
            LayoutError::KeyColumn { .. } => &KEY_COLUMN,
        }
    }
}
