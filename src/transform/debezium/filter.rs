//! `io.debezium.transforms.Filter`: leaves out records of which a condition is not true.
//!
//! In: any record. Out: the record where the condition gives true, nothing where it gives false; anything else fails the
//! record. (Debezium's own description of the option says the opposite of what its class does.) Promised: the choice of
//! Debezium 3.6 with the languages that are translated. Nothing here survives a crash.

use super::scripting::{self, Said, Script};
use super::structs::unusable;
use crate::model::record::Record;
use crate::model::value::Arena;
use crate::transform::expression::Answer;
use crate::transform::{Target, Transform, TransformError, TransformSpec};
use crate::util::class_options::{ClassOption, Options};

const CONDITION: &str = "condition";

/// The transform that leaves records out by a condition.
pub static SPEC: TransformSpec = TransformSpec {
    name: "Filter",
    aliases: &["io.debezium.transforms.Filter"],
    about: "Keeps the records of which a condition is true",
    targets: &[Target::Record],
    options: &[
        &[ClassOption::new(CONDITION, "", "the condition, such as value.op == 'u' && value.after.id > 5; required")],
        scripting::OPTIONS,
    ],
    build,
};

struct Filter(Script);

fn build(options: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    Ok(Box::new(Filter(Script::of(options, CONDITION)?)))
}

impl Transform for Filter {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        match self.0.ask(&record, arena)? {
            Said::Pass | Said::Answer(Answer::Boolean(true)) => Ok(Some(record)),
            Said::Drop | Said::Answer(Answer::Boolean(false)) => Ok(None),
            Said::Answer(Answer::Null) => Err(unusable("the condition gives null and not true or false".to_owned())),
            Said::Answer(Answer::Text(_)) => Err(unusable("the condition gives a String and not a Boolean".to_owned())),
            Said::Answer(Answer::Other(class)) => {
                Err(unusable(format!("the condition gives {class} and not a Boolean")))
            }
        }
    }

    fn wants_header(&self, name: &str) -> bool {
        self.0.wants_header(name)
    }

    fn rest(&mut self) {
        self.0.rest();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use crate::model::value::Value;

    fn config<'c>(language: &'c str, condition: &'c str, nulls: &'c str) -> Vec<(&'c str, &'c str)> {
        vec![
            ("transforms", "f"),
            ("transforms.f.type", "io.debezium.transforms.Filter"),
            ("transforms.f.language", language),
            ("transforms.f.condition", condition),
            ("transforms.f.null.handling.mode", nulls),
        ]
    }

    #[track_caller]
    fn check(condition: &str, samples: &[Sample], expected: &str) {
        assert_eq!(run(&config("jsr223.groovy", condition, "keep"), samples).trim_end(), expected, "{condition}");
    }

    #[track_caller]
    fn refused(language: &str, condition: &str, expected: &str) {
        assert_eq!(run(&config(language, condition, "keep"), &[]).trim_end(), expected, "{condition}");
    }

    fn row(id: i32, name: Option<&str>) -> Vec<Cell> {
        vec![("id", int(), Value::Int32(id)), ("name", text().optional(), name.map_or(Value::Null, t))]
    }

    #[test]
    fn the_records_of_which_the_condition_is_true_are_kept() {
        let all = [
            Change::create(row(1, Some("a"))).sample(),
            Change::update(row(2, None), row(2, Some("b"))).sample(),
            Change::delete(row(2, Some("c"))).sample(),
            Sample::tombstone(),
        ];
        check("value.op == 'u' && value.before.id == 2", &all, "dropped\npassed\ndropped\npassed");
        check("value.op != 'd' || value.before.id != 2", &all, "passed\npassed\ndropped\npassed");
        check("value.after != null && value.after.name in ['a', 'x']", &all, "passed\ndropped\ndropped\npassed");
        check("value?.after?.name ==~ /[ab]/ ? true : false", &all[..2], "passed\npassed");
        check(
            "topic.startsWith('srv.') && value.source.table.contains(\"out\")",
            &all,
            "passed\npassed\npassed\npassed",
        );
        check("topic == 'other'", &all, "dropped\ndropped\ndropped\npassed");
    }

    #[test]
    fn what_would_throw_fails_the_record() {
        let create = [Change::create(row(1, None)).sample()];
        let cases = [
            ("value.before.id == 1", "Cannot get property 'id' on null object, at character 14 of the expression"),
            ("value.after.none == 1", "none is not a valid field name, at character 13 of the expression"),
            (
                "value.after.name.contains('x')",
                "Cannot invoke a method on null object, at character 18 of the expression",
            ),
            ("value.op", "the condition gives a String and not a Boolean"),
            ("value.after", "the condition gives a Struct and not a Boolean"),
            ("value.before", "the condition gives null and not true or false"),
            ("value.after.id > 'text'", "Cannot compare an Integer and a String, at character 16 of the expression"),
        ];
        for (condition, expected) in cases {
            check(condition, &create, &format!("HW1003 transform f: {expected}"));
        }
    }

    #[test]
    fn records_without_a_value_are_kept_dropped_or_evaluated() {
        let tombstone = [Sample::tombstone()];
        for (mode, expected) in [("keep", "passed"), ("DROP", "dropped"), ("evaluate", "passed")] {
            assert_eq!(run(&config("jsr223.groovy", "value == null", mode), &tombstone).trim_end(), expected);
        }
        let bad = "refused: transform f: null.handling.mode=all is not keep, drop or evaluate";
        assert_eq!(run(&config("jsr223.groovy", "true", "all"), &[]).trim_end(), bad);
    }

    #[test]
    fn what_is_not_translated_is_refused_with_its_place() {
        let groovy = "jsr223.groovy";
        refused(
            groovy,
            "value.op == 'u' && value.after.tags.any { it == 'x' }",
            "refused: transform f: condition: closures are not translated\n  value.op == 'u' && value.after.tags.any { it == 'x' }\n                                          ^",
        );
        refused(
            groovy,
            "headers.x.value == 1",
            "refused: transform f: condition: there is no variable headers; Debezium calls it header\n  headers.x.value == 1\n  ^",
        );
        refused(
            "jsr223.jython",
            "true",
            "refused: transform f: language=jsr223.jython is not one of cel, jsr223.groovy, jsr223.graal.js",
        );
        refused(groovy, "", "refused: transform f: condition is not set");
    }

    #[test]
    fn conditions_in_cel_read_what_they_name() {
        let all = [
            Change::create(row(1, Some("a"))).sample(),
            Change::update(row(2, None), row(2, Some("b"))).sample(),
            Change::delete(row(2, Some("c"))).sample(),
        ];
        let check = |condition: &str, expected: &str| {
            assert_eq!(run(&config("cel", condition, "keep"), &all).trim_end(), expected, "{condition}");
        };
        let failed = "HW1003 transform f: found no matching overload for '_[_]' applied to '(null_type, string)'";
        check("value.op == 'u' && value.before.id == 2", "dropped\npassed\ndropped");
        check("value.after != null && value.after.name in ['a', 'x']", "passed\ndropped\ndropped");
        check("value.op == 'd' || value.after.name.startsWith('b')", "dropped\npassed\npassed");
        check("value.after[\"id\"] < 2", &format!("passed\ndropped\n{failed}"));
        check("value.after != null && has(value.after.other)", "dropped\ndropped\ndropped");
        check("value.after != null && has(value.after.name)", "passed\npassed\ndropped");
        check("topic.matches('^srv[.]') && valueSchema.name.endsWith('.Envelope')", "passed\npassed\npassed");
        check("['c', 'r'].exists(o, o == value.op)", "passed\ndropped\ndropped");
        check("size(value.source) == 6", "passed\npassed\npassed");
        check("value.op", "HW1003 transform f: the condition gives a String and not a Boolean\n".repeat(3).trim_end());
        refused(
            "cel",
            "value.op == u",
            "refused: transform f: condition: u is not known; the variables are value, key, topic, header, valueSchema, keySchema\n  value.op == u\n              ^",
        );
        refused(
            "cel",
            "value.op.lower() == 'u'",
            "refused: transform f: condition: the function lower is not built in\n  value.op.lower() == 'u'\n                ^",
        );
    }
}
