//! What can go wrong in a transform, and what is done about it.

use crate::error::{Code, Coded, Disposition};
use crate::model::value::ValueError;
use crate::util::class_options::BadOption;

/// An error of the `transform` room. Never holds a row's value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransformError {
    /// No transform or predicate has this class.
    #[error("there is no {what} {class}")]
    UnknownClass {
        /// `transform` or `predicate`.
        what: &'static str,
        /// As configured.
        class: String,
    },
    /// A transform asks for a predicate that is not declared.
    #[error("transforms.{transform}.predicate names '{predicate}', which is not in predicates")]
    UnknownPredicate {
        /// The transform's name.
        transform: String,
        /// The predicate's name.
        predicate: String,
    },
    /// An option's value is not one it takes.
    #[error(transparent)]
    BadOption(#[from] BadOption),
    /// An option that must be set is not, or options contradict each other.
    #[error("{reason}")]
    Options {
        /// What is missing or contradictory, naming the options.
        reason: String,
    },
    /// An expression's language is not one that is built in.
    #[error("language={language} is not one of cel, jsr223.groovy, jsr223.graal.js")]
    Language {
        /// As configured.
        language: String,
    },
    /// An expression is not one that is translated.
    #[error("{option}: {reason}")]
    Expression {
        /// The option that holds it.
        option: &'static str,
        /// What is not translated, with the line and a mark beneath the place.
        reason: String,
    },
    /// A record is not what the transform can work on.
    #[error("{reason}")]
    Record {
        /// What is wrong with it, without its values: fields, schemas and types.
        reason: String,
    },
    /// A record that the connector must stop at, whatever `errors.tolerance` says.
    #[error("{reason}")]
    Fatal {
        /// What is wrong with it, without its values.
        reason: String,
    },
    /// A field's bytes cannot be decoded.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A predicate of a transform is not usable.
    #[error("predicate {name}: {source}")]
    Predicate {
        /// Its name in `predicates`.
        name: String,
        /// What is wrong with it.
        source: Box<TransformError>,
    },
    /// One of a chain failed.
    #[error("transform {name}: {source}")]
    In {
        /// Its name in `transforms`.
        name: String,
        /// What it said.
        source: Box<TransformError>,
    },
}

impl TransformError {
    /// An option that must be set is not.
    pub fn unset(option: &str) -> TransformError {
        TransformError::Options { reason: format!("{option} is not set") }
    }
}

static UNKNOWN_CLASS: Code = Code {
    number: 1000,
    disposition: Disposition::Stop,
    title: "a transform or predicate is not built in",
    hint: "Transforms are built in and named by their Java classes; classes of one's own cannot be loaded. `headwater config` lists what there is. Ask for others with the class's name and what it does.",
};
static UNKNOWN_PREDICATE: Code = Code {
    number: 1001,
    disposition: Disposition::Stop,
    title: "a transform asks for a predicate that is not declared",
    hint: "Add its name to `predicates` and its class as `predicates.NAME.type`.",
};
static OPTIONS: Code = Code {
    number: 1002,
    disposition: Disposition::Stop,
    title: "a transform's options are not usable",
    hint: "The message names the option and what it takes; options stand beneath `transforms.NAME.` or `predicates.NAME.`.",
};
static RECORD: Code = Code {
    number: 1003,
    disposition: Disposition::Reject,
    title: "a transform cannot work on a record",
    hint: "A predicate can keep the transform from records it is not meant for (heartbeats, schema changes). errors.tolerance=all leaves such records out.",
};
static FATAL: Code = Code {
    number: 1004,
    disposition: Disposition::Stop,
    title: "a transform is set to stop at such a record",
    hint: "Mend the record's origin or the option that asks to stop; the position before the record is stored, and nothing is lost.",
};
static LANGUAGE: Code = Code {
    number: 1010,
    disposition: Disposition::Stop,
    title: "an expression's language is not built in",
    hint: "Conditions and topic expressions of one line in jsr223.groovy and jsr223.graal.js are translated; for anything else write the expression in language=cel.",
};
static EXPRESSION: Code = Code {
    number: 1011,
    disposition: Disposition::Stop,
    title: "an expression cannot be translated",
    hint: "The mark shows the place. One-line conditions over value, key, topic, header, valueSchema and keySchema are translated; write the rest with the operators that the reference lists, or in language=cel.",
};

/// Every page of this room.
pub static CODES: &[&Code] = &[&UNKNOWN_CLASS, &UNKNOWN_PREDICATE, &OPTIONS, &RECORD, &FATAL, &LANGUAGE, &EXPRESSION];

impl TransformError {
    /// The same, with the field's name in front of what is wrong with a record.
    #[must_use]
    pub fn of_field(mut self, field: &str) -> TransformError {
        if let TransformError::Record { reason } = &mut self {
            reason.insert_str(0, &format!("field {field}: "));
        }
        self
    }
}

impl Coded for TransformError {
    fn code(&self) -> &'static Code {
        match self {
            TransformError::UnknownClass { .. } => &UNKNOWN_CLASS,
            TransformError::UnknownPredicate { .. } => &UNKNOWN_PREDICATE,
            TransformError::BadOption(_) | TransformError::Options { .. } => &OPTIONS,
            TransformError::Language { .. } => &LANGUAGE,
            TransformError::Expression { .. } => &EXPRESSION,
            TransformError::Record { .. } => &RECORD,
            TransformError::Fatal { .. } => &FATAL,
            TransformError::Value(error) => error.code(),
            TransformError::Predicate { source, .. } | TransformError::In { source, .. } => source.code(),
        }
    }
}
