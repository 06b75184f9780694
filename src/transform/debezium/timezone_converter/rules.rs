//! `include.list` and `exclude.list` of the time zone converter: what is converted in the records of which table or topic.
//!
//! In: the lists, once; then the topic and the table of a record. Out: one rule. Promised: Debezium's reading of the
//! lists: an entry without `source:` or `topic:` has the prefix of the entry before it that has one, and one with all three
//! parts can only come first.

use std::collections::{BTreeSet, HashMap};

use crate::transform::TransformError;
use crate::util::class_options::Options;
use crate::util::java_regex::JavaRegex;

/// The format of a list, as `TimezoneConverter.LIST_PATTERN` has it, over `[one, two]`.
const FORMAT: &str = r#"^\[(source|topic|[".\w\s_]+):([".\w\s_]+(?::[".\w\s_]+)?(?:,|]$))+$"#;

/// What is converted in a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Rule {
    /// Every time of the row.
    #[default]
    All,
    /// The fields that are named, `source.`, `before.` and `after.` in front where only that struct is meant.
    Only(BTreeSet<String>),
    /// All but these.
    Except(BTreeSet<String>),
    /// No field.
    Nothing,
}

impl Rule {
    /// Whether a field of one struct of the envelope is converted.
    pub fn takes(&self, image: &str, field: &str) -> bool {
        let named = |fields: &BTreeSet<String>| {
            let in_rows = image != "source" && fields.contains(field) && !has_struct(field);
            in_rows || fields.contains(&format!("{image}.{field}"))
        };
        match self {
            Rule::Nothing => false,
            Rule::All => image != "source",
            Rule::Only(fields) => named(fields),
            // The source block is looked at only where one of its fields is named, even if only to be left out.
            Rule::Except(fields) if image == "source" && !fields.iter().any(|field| field.starts_with("source.")) => {
                false
            }
            Rule::Except(fields) => !named(fields),
        }
    }
}

fn has_struct(field: &str) -> bool {
    ["source.", "before.", "after."].iter().any(|prefix| field.starts_with(prefix))
}

/// The rules of a configuration, and where they hold.
#[derive(Debug, Default)]
pub struct Rules {
    /// Every rule, for plans to be kept by its place.
    pub all: Vec<Rule>,
    /// By names, the rule's place.
    topics: HashMap<String, usize>,
    tables: HashMap<String, usize>,
    either: HashMap<String, usize>,
    /// The rule of what is not named.
    others: usize,
}

/// What an entry says.
struct Entry<'e> {
    prefix: Option<&'e str>,
    name: &'e str,
    field: Option<&'e str>,
}

impl<'e> Entry<'e> {
    fn parse(text: &'e str) -> Entry<'e> {
        let parts: Vec<&str> = text.split(':').collect();
        let is_prefix = |part: &str| part.eq_ignore_ascii_case("source") || part.eq_ignore_ascii_case("topic");
        match parts.as_slice() {
            [prefix, name] if is_prefix(prefix) => Entry { prefix: Some(prefix), name, field: None },
            [prefix, name, field, ..] if is_prefix(prefix) => Entry { prefix: Some(prefix), name, field: Some(field) },
            [name, field, ..] => Entry { prefix: None, name, field: Some(field) },
            [name] => Entry { prefix: None, name, field: None },
            [] => Entry { prefix: None, name: "", field: None },
        }
    }
}

impl Rules {
    /// The rules of the two lists.
    ///
    /// # Errors
    /// When both are set, or one is not in the format.
    pub fn parse(options: &Options<'_>) -> Result<Rules, TransformError> {
        let list = |name: &str| options.text(name).map(|text| text.split(',').map(str::trim).collect::<Vec<_>>());
        match (list("include.list"), list("exclude.list")) {
            (None, None) => Ok(Rules { all: vec![Rule::All], ..Rules::default() }),
            (Some(included), None) => {
                Rules::of("include.list", &included, Rule::Nothing, |fields| match fields.is_empty() {
                    true => Rule::All,
                    false => Rule::Only(fields),
                })
            }
            (None, Some(excluded)) => {
                Rules::of("exclude.list", &excluded, Rule::All, |fields| match fields.is_empty() {
                    true => Rule::Nothing,
                    false => Rule::Except(fields),
                })
            }
            (Some(_), Some(_)) => {
                Err(TransformError::Options { reason: "include.list and exclude.list are both set".to_owned() })
            }
        }
    }

    fn of(
        option: &str,
        entries: &[&str],
        others: Rule,
        rule: impl Fn(BTreeSet<String>) -> Rule,
    ) -> Result<Rules, TransformError> {
        let format = JavaRegex::parse_case_sensitive(FORMAT);
        let format = format.map_err(|error| TransformError::Options { reason: error.to_string() })?;
        if !format.matches(&format!("[{}]", entries.join(", "))).unwrap_or(false) {
            let reason = format!(
                "{option} is no list of source:TABLE, source:TABLE:FIELD, topic:TOPIC, topic:TOPIC:FIELD or NAME:FIELD, of \
                 which only the first may have three parts"
            );
            return Err(TransformError::Options { reason });
        }
        let mut rules = Rules::default();
        let mut fields: Vec<BTreeSet<String>> = Vec::new();
        let mut prefix = None;
        for entry in entries {
            let entry = Entry::parse(entry);
            prefix = entry.prefix.or(prefix);
            let names = match prefix {
                Some("topic") => &mut rules.topics,
                Some("source") => &mut rules.tables,
                _ => &mut rules.either,
            };
            let place = *names.entry(entry.name.to_owned()).or_insert(fields.len());
            if place == fields.len() {
                fields.push(BTreeSet::new());
            }
            if let Some(fields) = fields.get_mut(place) {
                fields.extend(entry.field.map(str::to_owned));
            }
        }
        rules.others = fields.len();
        rules.all = fields.into_iter().map(rule).chain([others]).collect();
        Ok(rules)
    }

    /// Whether a record's table plays a part.
    pub fn ask_for_tables(&self) -> bool {
        !self.tables.is_empty() || !self.either.is_empty()
    }

    /// The place of the rule for a topic and a table.
    pub fn find(&self, topic: &str, table: Option<&str>) -> usize {
        let of_table = |names: &HashMap<String, usize>| table.and_then(|table| names.get(table)).copied();
        let found = self.topics.get(topic).copied().or_else(|| of_table(&self.tables));
        found.or_else(|| self.either.get(topic).copied()).or_else(|| of_table(&self.either)).unwrap_or(self.others)
    }
}
