//! `post.processors`: the names a connector declares, and what stands beneath them.
//!
//! In: resolved properties. Out: the processors in the order of the list; findings for classes and values that cannot be
//! used. A processor's options stand beneath `post.processors.NAME.`, or beneath `NAME.` where there are none, which was
//! the way until Debezium 2.6.

use super::Findings;
use super::converters::{beneath, java_class, say_unknown};
use crate::config::option::Mismatch;
use crate::config::settings::Settings;
use crate::util::class_options::{ClassOption, Options};
use crate::util::java_regex::{CompiledFilter, RegexList};

/// The only class that is built in.
const RESELECT: &str = "io.debezium.processors.reselect.ReselectColumnsPostProcessor";

const INCLUDE: &str = "reselect.columns.include.list";
const EXCLUDE: &str = "reselect.columns.exclude.list";
const UNAVAILABLE: &str = "reselect.unavailable.values";
const NULLS: &str = "reselect.null.values";
const BY_EVENT_KEY: &str = "reselect.use.event.key";
const ERRORS: &str = "reselect.error.handling.mode";

static OPTIONS: &[ClassOption] = &[
    ClassOption::new(INCLUDE, "", "Columns that are read again, as expressions for schema.table:column"),
    ClassOption::new(EXCLUDE, "", "Columns that are not read again; of no effect beside the list above"),
    ClassOption::new(UNAVAILABLE, "true", "Whether columns are read again whose value did not come"),
    ClassOption::new(NULLS, "true", "Whether columns are read again that are null"),
    ClassOption::new(BY_EVENT_KEY, "false", "Whether rows are found by the event's key instead of the primary key"),
    ClassOption::new(ERRORS, "warn", "What happens where a row cannot be read again: warn or fail"),
];

/// `ReselectColumnsPostProcessor`: what is read again, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct ReselectOptions {
    /// Matched against `schema.table:column`.
    pub columns: CompiledFilter,
    /// Whether values are read again that did not come.
    pub unavailable: bool,
    /// Whether nulls are.
    pub nulls: bool,
    /// Whether a row is found by the event's key, and not by the table's.
    pub by_event_key: bool,
    /// Whether the connector ends when a row cannot be read again.
    pub fails: bool,
}

/// The processors, checked.
pub(super) fn post_processors(settings: &Settings<'_>, findings: &mut Findings) -> Vec<ReselectOptions> {
    let mut made = Vec::new();
    for name in settings.list("post.processors") {
        let new = format!("post.processors.{name}");
        let prefix = if beneath(settings, &new).is_empty() { name } else { new };
        let property = format!("{prefix}.type");
        let class = settings.values.get(&property).map_or("", |class| class.trim());
        if class != RESELECT {
            findings.errors.push(java_class(settings, property, vec![RESELECT]));
            continue;
        }
        made.extend(reselect(settings, &prefix, findings));
    }
    made
}

fn reselect(settings: &Settings<'_>, prefix: &str, findings: &mut Findings) -> Option<ReselectOptions> {
    let values = beneath(settings, prefix);
    say_unknown(prefix, OPTIONS, &values, findings);
    let options = Options::new(&values);
    let mut bad = Vec::new();
    let mut flag = |name, default| {
        options.flag(name, default).unwrap_or_else(|error| {
            bad.push(settings.invalid(&format!("{prefix}.{name}"), &error.value, error.expected));
            default
        })
    };
    let (unavailable, nulls) = (flag(UNAVAILABLE, true), flag(NULLS, true));
    let by_event_key = flag(BY_EVENT_KEY, false);
    let mut list = |name: &str| match options.text(name).map(RegexList::parse).transpose() {
        Ok(list) => list,
        Err(error) => {
            let property = format!("{prefix}.{name}");
            bad.push(settings.mismatch(&property, options.text(name).unwrap_or_default(), Mismatch::Regex(error)));
            None
        }
    };
    let (include, exclude) = (list(INCLUDE), list(EXCLUDE));
    let fails = match options.text(ERRORS).unwrap_or("warn").to_ascii_lowercase().as_str() {
        "warn" => false,
        "fail" => true,
        other => {
            bad.push(settings.invalid(&format!("{prefix}.{ERRORS}"), other, "warn or fail"));
            false
        }
    };
    if !unavailable && !nulls {
        findings.advise(prefix, format!("nothing is read again: neither {UNAVAILABLE} nor {NULLS} is true"));
    }
    if !bad.is_empty() {
        findings.errors.append(&mut bad);
        return None;
    }
    // Where both are there, Debezium does not look at the second.
    let exclude = exclude.filter(|_| include.is_none());
    Some(ReselectOptions { columns: CompiledFilter { include, exclude }, unavailable, nulls, by_event_key, fails })
}
