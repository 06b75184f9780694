//! What Debezium's Filter and ContentBasedRouter have in common: which records they evaluate, and with what.
//!
//! In: the options and a record. Out: the expression's answer, or what is done without it. Promised: the rules of
//! `io.debezium.transforms.ScriptingTransformation` of Debezium 3.6. Nothing here survives a crash.

use crate::model::record::Record;
use crate::model::value::{Arena, ValueRef};
use crate::transform::expression::{Answer, Expression};
use crate::transform::memo::TopicMemo;
use crate::transform::{TransformError, required};
use crate::util::class_options::{BadOption, ClassOption, Options};
use crate::util::java_regex::JavaRegex;

/// The options that both have.
pub const OPTIONS: &[ClassOption] = &[
    ClassOption::new(
        "language",
        "",
        "cel (Common Expression Language), or jsr223.groovy or jsr223.graal.js, of which one-line expressions are translated; required",
    ),
    ClassOption::new("topic.regex", "", "only topics whose whole name matches are evaluated; the others' records pass"),
    ClassOption::new("null.handling.mode", "keep", "what becomes of records without a value: keep, drop or evaluate"),
];

/// What becomes of records without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NullHandling {
    Keep,
    Drop,
    Evaluate,
}

/// A script over records.
pub struct Script {
    expression: Expression,
    nulls: NullHandling,
    pattern: Option<JavaRegex>,
    topics: TopicMemo<bool>,
}

/// What a script says of a record.
pub enum Said<'a> {
    /// The record passes as it is.
    Pass,
    /// The record is left out.
    Drop,
    /// The expression's answer.
    Answer(Answer<'a>),
}

impl Script {
    /// Reads the options; `expression` names the one that holds the expression.
    ///
    /// # Errors
    /// When one is missing or cannot be used.
    pub fn of(options: &Options<'_>, expression: &'static str) -> Result<Script, TransformError> {
        let nulls = match options.text("null.handling.mode") {
            None => NullHandling::Keep,
            Some(mode) if mode.eq_ignore_ascii_case("keep") => NullHandling::Keep,
            Some(mode) if mode.eq_ignore_ascii_case("drop") => NullHandling::Drop,
            Some(mode) if mode.eq_ignore_ascii_case("evaluate") => NullHandling::Evaluate,
            Some(mode) => {
                let (option, value) = ("null.handling.mode", mode.to_owned());
                return Err(BadOption { option, value, expected: "keep, drop or evaluate" }.into());
            }
        };
        let unusable = |error| TransformError::Options { reason: format!("topic.regex: {error}") };
        let pattern = options.text("topic.regex").map(JavaRegex::parse_case_sensitive).transpose().map_err(unusable)?;
        let (language, text) = (required(options, "language")?, required(options, expression)?);
        let expression = Expression::read(language, expression, text)?;
        Ok(Script { expression, nulls, pattern, topics: TopicMemo::default() })
    }

    /// What it says of a record.
    ///
    /// # Errors
    /// Where the script would throw.
    pub fn ask<'a>(&'a self, record: &Record<'a>, arena: &'a Arena) -> Result<Said<'a>, TransformError> {
        if let Some(pattern) = &self.pattern {
            let matches = self.topics.get(record.topic, || pattern.matches(record.topic));
            if !*matches.map_err(|error| TransformError::Record { reason: error.to_string() })? {
                return Ok(Said::Pass);
            }
        }
        if matches!(record.value.value, ValueRef::Null) {
            match self.nulls {
                NullHandling::Keep => return Ok(Said::Pass),
                NullHandling::Drop => return Ok(Said::Drop),
                NullHandling::Evaluate => {}
            }
        }
        self.expression.answer(record, arena).map(Said::Answer)
    }

    /// Whether the expression names this header.
    pub fn wants_header(&self, name: &str) -> bool {
        self.expression.wants_header(name)
    }

    /// Between batches: gives back memory that has grown.
    pub fn rest(&mut self) {
        self.expression.rest();
        self.topics.rest();
    }
}
