//! Expressions over records: the `condition` of Debezium's Filter and the `topic.expression` of its ContentBasedRouter.
//!
//! In: the text of an option once, then a record at a time. Out: what the expression gives: true, false, text, null.
//! Promised: an expression means here what it means to Debezium's script engines, or it is refused when the connector
//! starts, with the place marked; what would throw there fails the record here. A field is read when the expression asks
//! for it; nothing is converted beforehand. Nothing here survives a crash.
//!
//! ```text
//!  text ─▶ lexer ─▶ parser (methods) ─▶ tree (syntax) ─▶ evaluate with the rules of groovy or javascript
//!      └─▶ cel, the Common Expression Language by its crate
//! ```

use std::fmt;

mod cel;
pub mod decimal;
mod evaluate;
mod groovy;
mod javascript;
mod lexer;
mod methods;
mod operand;
mod parser;
mod syntax;

use evaluate::{Fault, Scope};
use operand::Operand;
use syntax::Node;

use crate::model::record::Record;
use crate::model::value::{Arena, ValueRef};
use crate::transform::TransformError;

/// Whose rules hold for a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Apache Groovy 4.
    Groovy,
    /// JavaScript as Debezium gives it to GraalJS.
    JavaScript,
}

/// What of an expression is not translated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where, in bytes.
    at: usize,
    reason: String,
}

impl Refusal {
    fn new(at: usize, reason: impl Into<String>) -> Refusal {
        Refusal { at, reason: reason.into() }
    }

    /// The same for a part of a text that begins at `start` and is `length` long.
    fn behind(self, start: usize, length: usize) -> Refusal {
        Refusal { at: start + self.at.min(length), ..self }
    }

    /// The reason, with the line of the expression and a mark beneath the place.
    fn shown(&self, text: &str) -> String {
        let at = self.at.min(text.len());
        let before = text.get(..at).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        let column = before.get(start..).unwrap_or_default().chars().count();
        format!("{}\n  {line}\n  {:column$}^", self.reason, "")
    }
}

/// What an expression gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer<'a> {
    /// Nothing.
    Null,
    /// True or false.
    Boolean(bool),
    /// Text.
    Text(&'a str),
    /// Anything else, by its class.
    Other(&'static str),
}

/// An expression that has been read.
pub struct Expression {
    text: String,
    program: Program,
}

/// What computes it.
enum Program {
    /// Our own tree, with the rules that hold for it and the headers that it names.
    Tree { dialect: Dialect, node: Box<Node>, headers: Vec<Box<str>> },
    /// The Common Expression Language.
    Cel(Box<cel::Cel>),
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}

/// The prefix of Debezium's script engines.
const PREFIX: &str = "jsr223.";

/// The Common Expression Language, which Debezium does not have.
const CEL: &str = "cel";

impl Expression {
    /// Reads an expression in the language that the option `language` names.
    ///
    /// # Errors
    /// When the language is not one of those here, or the expression is not translated.
    pub fn read(language: &str, option: &'static str, text: &str) -> Result<Expression, TransformError> {
        let dialect = match (language, language.strip_prefix(PREFIX)) {
            (CEL, _) => None,
            (_, Some("groovy" | "Groovy")) => Some(Dialect::Groovy),
            (_, Some("graal.js")) => Some(Dialect::JavaScript),
            _ => return Err(TransformError::Language { language: language.to_owned() }),
        };
        let program = match dialect {
            None => cel::read(text).map(|read| Program::Cel(Box::new(read))),
            Some(dialect) => parser::parse(text, dialect).map(|mut node| {
                let mut headers = Vec::new();
                node.headers(&mut headers);
                Program::Tree { dialect, node: Box::new(node), headers }
            }),
        };
        let program = program.map_err(|refusal| TransformError::Expression { option, reason: refusal.shown(text) })?;
        Ok(Expression { text: text.to_owned(), program })
    }

    /// What it gives for a record.
    ///
    /// # Errors
    /// Where the script would throw.
    pub fn answer<'a>(&'a self, record: &Record<'a>, arena: &'a Arena) -> Result<Answer<'a>, TransformError> {
        let (dialect, node) = match &self.program {
            Program::Tree { dialect, node, .. } => (*dialect, &**node),
            Program::Cel(program) => return program.answer(record, arena),
        };
        let structs = |value: &ValueRef<'_>| matches!(value, ValueRef::Null | ValueRef::Struct(_));
        if dialect == Dialect::JavaScript && !(structs(&record.key.value) && structs(&record.value.value)) {
            return Err(TransformError::Record {
                reason: "Debezium gives JavaScript only keys and values that are structs".to_owned(),
            });
        }
        let scope = Scope { record, arena, dialect };
        match scope.compute(node) {
            Ok(Operand::Null | Operand::Undefined) => Ok(Answer::Null),
            Ok(Operand::Boolean(value)) => Ok(Answer::Boolean(value)),
            Ok(Operand::Text(text)) => Ok(Answer::Text(text)),
            Ok(other) => Ok(Answer::Other(other.class())),
            Err(Fault::Ends) => Ok(Answer::Null),
            Err(Fault::Value(error)) => Err(error.into()),
            Err(Fault::Failed { at, reason }) => {
                let place = self.text.get(..at).unwrap_or_default().chars().count() + 1;
                Err(TransformError::Record { reason: format!("{reason}, at character {place} of the expression") })
            }
        }
    }

    /// Whether it names this header.
    pub fn wants_header(&self, name: &str) -> bool {
        match &self.program {
            Program::Tree { headers, .. } => headers.iter().any(|header| **header == *name),
            Program::Cel(program) => program.wants_header(name),
        }
    }

    /// Between batches: gives back memory that has grown.
    pub fn rest(&mut self) {
        if let Program::Tree { node, .. } = &mut self.program {
            node.rest();
        }
    }
}
