//! `io.debezium.transforms.ContentBasedRouter`: sends records to the topic that an expression gives.
//!
//! In: any record. Out: the same record, to the topic that the expression gives; to its own where that is null. What is
//! neither text nor null fails the record: Groovy's `"${topic}-x"` too, which is no `String`. Promised: the topics of
//! Debezium 3.6 with the languages that are translated. Nothing here survives a crash.

use std::convert::Infallible;
use std::sync::Arc;

use super::scripting::{self, Said, Script};
use super::structs::unusable;
use crate::model::record::Record;
use crate::model::value::Arena;
use crate::transform::expression::Answer;
use crate::transform::memo::Memo;
use crate::transform::{Target, Transform, TransformError, TransformSpec};
use crate::util::class_options::{ClassOption, Options};

const EXPRESSION: &str = "topic.expression";

/// The transform that routes by an expression.
pub static SPEC: TransformSpec = TransformSpec {
    name: "ContentBasedRouter",
    aliases: &["io.debezium.transforms.ContentBasedRouter"],
    about: "Sends records to the topic that an expression gives",
    targets: &[Target::Record],
    options: &[
        &[ClassOption::new(
            EXPRESSION,
            "",
            "gives the topic, or null for the record's own: value.op == 'd' ? 'deleted' : null; required",
        )],
        scripting::OPTIONS,
    ],
    build,
};

struct ContentBasedRouter {
    script: Script,
    topics: Memo<String, Arc<str>>,
}

fn build(options: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    Ok(Box::new(ContentBasedRouter { script: Script::of(options, EXPRESSION)?, topics: Memo::default() }))
}

impl Transform for ContentBasedRouter {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        match self.script.ask(&record, arena)? {
            Said::Pass | Said::Answer(Answer::Null) => Ok(Some(record)),
            Said::Drop => Ok(None),
            Said::Answer(Answer::Text(text)) => {
                let Ok(topic) = self.topics.get(text, || Ok::<Arc<str>, Infallible>(text.into()));
                Ok(Some(Record { topic, ..record }))
            }
            Said::Answer(Answer::Boolean(_)) => {
                Err(unusable("the expression gives a Boolean and not a String".to_owned()))
            }
            Said::Answer(Answer::Other(class)) => {
                let hint = if class == "a GString" { "; add .toString()" } else { "" };
                Err(unusable(format!("the expression gives {class} and not a String{hint}")))
            }
        }
    }

    fn wants_header(&self, name: &str) -> bool {
        self.script.wants_header(name)
    }

    fn rest(&mut self) {
        self.script.rest();
        self.topics.rest();
    }
}
