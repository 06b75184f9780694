//! What an option is, and the one table of all of them.
//!
//! In: the tables in `options/`, one file a group. Out: the option that a property belongs to, its default
//! and whether a value is one that it takes. Promised: a property of Debezium or Connect is declared exactly
//! once, here, with what becomes of it; parsing, defaults, checks and the printed reference all come from
//! that row.

use std::fmt;

use crate::model::modes::ConnectorKind;
use crate::util::java_regex::{JavaRegex, RegexError, RegexList};

use super::options;

/// Where an option belongs: connectors of these databases, or the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applies(u8);

impl Applies {
    /// MySQL connectors.
    pub const MYSQL: Applies = Applies(1);
    /// MariaDB connectors.
    pub const MARIADB: Applies = Applies(2);
    /// PostgreSQL connectors.
    pub const POSTGRES: Applies = Applies(4);
    /// The worker.
    pub const WORKER: Applies = Applies(8);
    /// The connectors that read a binlog.
    pub const BINLOG: Applies = Applies(3);
    /// Every connector.
    pub const ALL: Applies = Applies(7);

    /// The connectors of one database.
    pub const fn of(kind: ConnectorKind) -> Applies {
        match kind {
            ConnectorKind::MySql => Applies::MYSQL,
            ConnectorKind::MariaDb => Applies::MARIADB,
            ConnectorKind::Postgres => Applies::POSTGRES,
        }
    }

    /// Whether the two have a place in common.
    pub const fn meets(self, other: Applies) -> bool {
        self.0 & other.0 != 0
    }
}

impl fmt::Display for Applies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Applies::ALL {
            return f.write_str("all connectors");
        }
        let places = [
            (Applies::MYSQL, "MySQL"),
            (Applies::MARIADB, "MariaDB"),
            (Applies::POSTGRES, "PostgreSQL"),
            (Applies::WORKER, "worker"),
        ];
        let named: Vec<&str> = places.iter().filter(|(place, _)| self.meets(*place)).map(|(_, name)| *name).collect();
        f.write_str(&named.join(", "))
    }
}

/// How a value is read.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Any text.
    Text,
    /// A text that is never printed.
    Password,
    /// A comma-separated list.
    List,
    /// `true` or `false`, in any case.
    Bool,
    /// A whole number within bounds.
    Number(i64, i64),
    /// One of a few words: today's, and a function that gives today's word for any that is accepted.
    Word(&'static [&'static str], fn(&str) -> Option<&'static str>),
    /// Comma-separated Java regular expressions.
    Regexes,
    /// One Java regular expression.
    Regex,
    /// A Java class's name.
    Class,
    /// Characters that are legal in a topic's name.
    TopicName,
    /// `name=value` pairs, separated by commas.
    Pairs,
}

impl Kind {
    /// The kind's name in the reference.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Text | Kind::TopicName => "text",
            Kind::Password => "password",
            Kind::List => "list",
            Kind::Bool => "boolean",
            Kind::Number(..) => "number",
            Kind::Word(..) => "word",
            Kind::Regexes => "list of regular expressions",
            Kind::Regex => "regular expression",
            Kind::Class => "class",
            Kind::Pairs => "list of pairs",
        }
    }
}

/// Why a value is not one that a kind takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Mismatch {
    /// What it should have been.
    Expected(String),
    /// What is wrong with the expression.
    Regex(RegexError),
}

/// How much depends on an option; Connect's three levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    /// Nearly every connector sets it.
    High,
    /// Many do.
    Medium,
    /// Few do.
    Low,
}

/// What becomes of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does what the manual says.
    Works,
    /// It is accepted and changes nothing, because …
    NoEffect(&'static str),
    /// Setting it is an error, because …
    Refused(&'static str),
}

/// Whether a reason is that something is still to be built: it then says "yet", and no other reason does.
pub fn is_planned(because: &str) -> bool {
    because.split([' ', ';', ',', ':', ')']).any(|word| word == "yet")
}

/// A name that an option had in an earlier generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldName {
    /// The old name; a pattern where the option is one.
    pub name: &'static str,
    /// The version of Debezium that gave the option today's name.
    pub until: &'static str,
}

/// One option, or one family of options.
#[derive(Clone, Copy)]
pub struct ConfigOption {
    /// The name. `*` at the end stands for anything, `<x>` for anything without a dot, `<salt>` for anything.
    pub name: &'static str,
    /// Names of earlier generations.
    pub old_names: &'static [OldName],
    /// How the value is read.
    pub kind: Kind,
    /// The value when it is not set; `None` when there is none.
    pub default: Option<&'static str>,
    /// The unit of a number.
    pub unit: Option<&'static str>,
    /// Whether a connector (or worker) cannot run without it.
    pub required: bool,
    /// How much depends on it.
    pub importance: Importance,
    /// The heading in the reference.
    pub group: Group,
    /// Where it belongs.
    pub applies: Applies,
    /// What it does, in a sentence or two.
    pub about: &'static str,
    /// What becomes of it.
    pub status: Status,
    /// Whether nothing is said when it is set to no effect.
    pub quiet: bool,
}

/// The headings of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// What Connect itself reads of a connector.
    Framework,
    /// Reaching the database.
    Connection,
    /// Where the stream starts and how it is watched.
    Streaming,
    /// PostgreSQL's slot and publication.
    Replication,
    /// Names of topics.
    Topics,
    /// What is captured.
    Filters,
    /// What events look like.
    Events,
    /// Reading what is there before streaming.
    Snapshot,
    /// Signals and notifications.
    Signals,
    /// Heartbeats.
    Heartbeat,
    /// Queues, errors, stopping.
    Lifecycle,
    /// The schema history.
    History,
    /// Metrics and lineage.
    Metrics,
    /// The worker.
    Worker,
}

impl Group {
    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Group::Framework => "Kafka Connect",
            Group::Connection => "Connection",
            Group::Streaming => "Streaming",
            Group::Replication => "PostgreSQL replication",
            Group::Topics => "Topic naming",
            Group::Filters => "Filters",
            Group::Events => "Events and types",
            Group::Snapshot => "Snapshots",
            Group::Signals => "Signals and notifications",
            Group::Heartbeat => "Heartbeats",
            Group::Lifecycle => "Queues, errors, stopping",
            Group::History => "Schema history",
            Group::Metrics => "Metrics, security, lineage",
            Group::Worker => "Worker",
        }
    }
}

/// Starts a row of the table.
pub const fn option(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    ConfigOption {
        name,
        old_names: &[],
        kind,
        default: None,
        unit: None,
        required: false,
        importance: Importance::Medium,
        group: Group::Framework,
        applies: Applies::ALL,
        about,
        status: Status::Works,
        quiet: false,
    }
}

impl ConfigOption {
    /// The value when it is not set.
    pub const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// A connector cannot run without it.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self.importance = Importance::High;
        self
    }

    /// Nearly every connector sets it.
    pub const fn high(mut self) -> Self {
        self.importance = Importance::High;
        self
    }

    /// Few connectors set it.
    pub const fn low(mut self) -> Self {
        self.importance = Importance::Low;
        self
    }

    /// The unit of a number.
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }

    /// Where it belongs.
    pub const fn for_(mut self, applies: Applies) -> Self {
        self.applies = applies;
        self
    }

    /// The heading it stands under.
    pub const fn under(mut self, group: Group) -> Self {
        self.group = group;
        self
    }

    /// Names of earlier generations.
    pub const fn was(mut self, old_names: &'static [OldName]) -> Self {
        self.old_names = old_names;
        self
    }

    /// It changes nothing, because …
    pub const fn no_effect(mut self, because: &'static str) -> Self {
        self.status = Status::NoEffect(because);
        self
    }

    /// No warning when it is set: every worker of Connect sets it, and a warning at each start teaches people to pass
    /// over warnings.
    pub const fn quietly(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Setting it is an error, because …
    pub const fn refused(mut self, because: &'static str) -> Self {
        self.status = Status::Refused(because);
        self
    }

    /// Whether a property is this option, or one of this family.
    pub fn is(&self, property: &str) -> bool {
        pattern_matches(self.name, property)
    }

    /// Whether the name stands for many.
    pub fn is_family(&self) -> bool {
        self.name.contains(['*', '<'])
    }

    /// Today's name of a property that has one of the old names.
    pub fn todays_name(&self, property: &str) -> Option<(String, OldName)> {
        self.old_names.iter().find(|old| pattern_matches(old.name, property)).map(|old| {
            // A family keeps what its star stood for.
            let tail = old.name.strip_suffix('*').and_then(|stem| property.strip_prefix(stem));
            let name = match (self.name.strip_suffix('*'), tail) {
                (Some(stem), Some(tail)) => format!("{stem}{tail}"),
                _ => self.name.to_owned(),
            };
            (name, *old)
        })
    }

    /// Whether the option takes the value.
    pub fn check(&self, value: &str) -> Result<(), Mismatch> {
        let expected = |text: String| Err(Mismatch::Expected(text));
        match self.kind {
            Kind::Text | Kind::Password | Kind::List | Kind::Class => Ok(()),
            Kind::Bool => match parse_bool(value) {
                Some(_) => Ok(()),
                None => expected("true or false".to_owned()),
            },
            Kind::Number(least, most) => match parse_number(value) {
                Some(number) if (least..=most).contains(&number) => Ok(()),
                _ => expected(bounds(least, most)),
            },
            Kind::Word(words, todays) => match todays(value) {
                Some(_) => Ok(()),
                None => expected(format!("one of {}", words.join(", "))),
            },
            Kind::Regexes => RegexList::parse(value).map(drop).map_err(Mismatch::Regex),
            Kind::Regex => JavaRegex::parse(value).map(drop).map_err(Mismatch::Regex),
            Kind::TopicName => match !value.is_empty() && value.chars().all(is_topic_character) {
                true => Ok(()),
                false => expected("letters, digits, '.', '_' and '-' only".to_owned()),
            },
            Kind::Pairs => match pairs(value) {
                Some(_) => Ok(()),
                None => expected("a list such as k1=v1,k2=v2".to_owned()),
            },
        }
    }
}

/// `true` and `false` as Java reads them.
pub fn parse_bool(value: &str) -> Option<bool> {
    let value = value.trim();
    if value.eq_ignore_ascii_case("true") {
        Some(true)
    } else if value.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// A whole number as Java reads it, blanks around it let pass as Connect does.
pub fn parse_number(value: &str) -> Option<i64> {
    value.trim().parse().ok()
}

/// A comma-separated list, trimmed, without blank entries.
pub fn parse_list(value: &str) -> Vec<String> {
    value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// `k1=v1,k2=v2`.
pub fn pairs(value: &str) -> Option<Vec<(String, String)>> {
    parse_list(value)
        .iter()
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let whole = !name.trim().is_empty() && !value.trim().is_empty() && !value.contains('=');
            whole.then(|| (name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect()
}

fn is_topic_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// `a number from 1 to 65535`, `a number of at least 0`.
pub fn bounds(least: i64, most: i64) -> String {
    match (least, most) {
        (i64::MIN, i64::MAX) => "a whole number".to_owned(),
        (least, i64::MAX) => format!("a whole number of at least {least}"),
        (least, most) => format!("a whole number from {least} to {most}"),
    }
}

/// `*` matches any rest (and at least one character), `<x>` one part without dots, `<salt>` any text.
fn pattern_matches(pattern: &str, property: &str) -> bool {
    let Some(open) = pattern.find(['*', '<']) else {
        return pattern == property;
    };
    let (literal, rest) = pattern.split_at(open);
    let Some(property) = property.strip_prefix(literal) else {
        return false;
    };
    if rest.starts_with('*') {
        return !property.is_empty();
    }
    let (part, rest) = rest.split_once('>').unwrap_or((rest, ""));
    // A salt and the name of a group are the user's own, dots and all.
    let widest = match part {
        "<salt" | "<group" => property.len(),
        _ => property.find('.').unwrap_or(property.len()),
    };
    let ends = property.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= widest);
    // Only a free part can end in several places; the longest is the one meant.
    let mut ends: Vec<usize> = ends.collect();
    ends.reverse();
    ends.iter().any(|end| property.get(*end..).is_some_and(|property| pattern_matches(rest, property)))
}

/// Every option there is, connectors' first.
pub fn all() -> impl Iterator<Item = &'static ConfigOption> {
    options::TABLES.iter().flat_map(|table| table.iter())
}

/// The option that a property is: by its name where one has exactly that name, by its family otherwise.
pub fn find(property: &str, place: Applies) -> Option<&'static ConfigOption> {
    let here = || all().filter(|option| option.applies.meets(place));
    here()
        .find(|option| option.name == property)
        .or_else(|| here().filter(|option| option.is(property)).max_by_key(|option| exactness(option.name)))
}

/// How much a family's name says: the text before its first variable part, then whether it ends in anything.
fn exactness(name: &str) -> (usize, bool, usize) {
    let stem = name.split(['*', '<']).next().unwrap_or(name);
    (stem.len(), !name.ends_with('*'), name.len())
}

/// Today's name of a property with an old one.
pub fn find_old(property: &str, place: Applies) -> Option<(String, OldName)> {
    all().filter(|option| option.applies.meets(place)).find_map(|option| option.todays_name(property))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn patterns_match_families() {
        let check = |pattern: &str, property: &str, expected: bool| {
            assert_eq!(pattern_matches(pattern, property), expected, "{pattern} {property}");
        };
        check("a.b", "a.b", true);
        check("a.b", "a.bc", false);
        check("a.*", "a.b.c", true);
        check("a.*", "a.", false);
        check("column.truncate.to.<n>.chars", "column.truncate.to.20.chars", true);
        check("column.truncate.to.<n>.chars", "column.truncate.to..chars", false);
        check("column.truncate.to.<n>.chars", "column.truncate.to.2.0.chars", false);
        check("mask.<algorithm>.with.salt.<salt>", "mask.SHA-256.with.salt.a.b", true);
        check("topic.creation.<group>.*", "topic.creation.default.cleanup.policy", true);
        check("topic.creation.<group>.partitions", "topic.creation.of.mine.partitions", true);
        check("topic.creation.<group>.partitions", "topic.creation...partitions", true);
    }

    #[test]
    fn the_row_that_says_most_is_the_one() {
        let check = |property: &str, name: &str| {
            assert_eq!(find(property, Applies::MYSQL).map(|option| option.name), Some(name), "{property}");
        };
        check("topic.creation.default.partitions", "topic.creation.<group>.partitions");
        check("topic.creation.a.include", "topic.creation.<group>.include");
        check("topic.creation.a.cleanup.policy", "topic.creation.<group>.*");
        check("topic.creation.groups", "topic.creation.groups");
        check("column.mask.hash.v2.MD5.with.salt.x", "column.mask.hash.v2.<algorithm>.with.salt.<salt>");
        check("schema.history.internal.s3.bucket.name", "schema.history.internal.*");
        check("database.sslMode", "database.*");
    }

    #[test]
    fn every_row_is_sound() {
        let mut seen = std::collections::BTreeSet::new();
        for option in all() {
            for place in [Applies::MYSQL, Applies::MARIADB, Applies::POSTGRES, Applies::WORKER] {
                if option.applies.meets(place) {
                    assert!(seen.insert((option.name, place.0)), "{} twice for {place}", option.name);
                }
            }
            assert!(!option.about.is_empty() && !option.about.ends_with(['.', ' ']), "{}", option.name);
            if let Some(default) = option.default {
                option.check(default).unwrap_or_else(|_| panic_at(option.name));
                assert!(!option.required, "{} is required and has a default", option.name);
            }
        }
    }

    fn panic_at(name: &str) {
        assert_eq!(name, "", "the default is not one that the option takes");
    }

    #[test]
    fn old_names_lead_to_todays() {
        let check = |old: &str, new: &str| {
            let (found, _) = find_old(old, Applies::MYSQL).expect(old);
            assert_eq!(found, new);
            assert!(find(&found, Applies::MYSQL).is_some(), "{new} is no option");
        };
        check("database.server.name", "topic.prefix");
        check("database.history.kafka.topic", "schema.history.internal.kafka.topic");
        check("database.history.producer.sasl.jaas.config", "schema.history.internal.producer.sasl.jaas.config");
        check("table.whitelist", "table.include.list");
        check("column.blacklist", "column.exclude.list");
        check("transaction.topic", "topic.transaction");
    }
}
