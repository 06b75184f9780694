//! What is captured, and what is done to columns on the way.

use super::Findings;
use crate::config::ConfigError;
use crate::config::option;
use crate::config::secret::Secret;
use crate::config::settings::Settings;
use crate::model::modes::{GuardrailAction, HashVersion, SkippedOperations};
use crate::util::digest::Digest;
use crate::util::java_regex::{CompiledFilter, JavaRegex, RegexList};

/// What becomes of the text of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnMask {
    /// Cut after so many characters.
    Truncate(u32),
    /// So many asterisks instead.
    Asterisks(u32),
    /// A salted hash instead, in hexadecimal digits, no longer than the column.
    Hash {
        /// The digest.
        digest: Digest,
        /// The salt.
        salt: Secret,
        /// What is hashed.
        version: HashVersion,
    },
}

/// A mask and the columns it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnRule {
    /// Matched against `database.table.column`.
    pub columns: RegexList,
    /// What becomes of them.
    pub mask: ColumnMask,
}

/// What is captured.
#[derive(Clone, Debug, PartialEq)]
pub struct CaptureOptions {
    /// By the database's name.
    pub databases: CompiledFilter,
    /// By `database.table`.
    pub tables: CompiledFilter,
    /// By `database.table.column`.
    pub columns: CompiledFilter,
    /// Whether the server's own databases are left out.
    pub ignore_builtin: bool,
    /// Operations of which no event is written.
    pub skipped_operations: SkippedOperations,
    /// Whether updates that change no captured column are left out.
    pub skip_unchanged: bool,
    /// Masks; the first whose columns match is the one, as in Debezium: cuts, asterisks, hashes.
    pub column_rules: Vec<ColumnRule>,
    /// `column.propagate.source.type`, matched against `database.table.column`.
    pub propagate_columns: Option<RegexList>,
    /// `datatype.propagate.source.type`, matched against `database.table.TYPE`.
    pub propagate_types: Option<RegexList>,
    /// `message.key.columns`: each is matched against `database.table.column`; the columns that match, in
    /// this order, are the key. A table where none does has its own key.
    pub key_columns: Vec<RegexList>,
    /// `guardrail.collections.max` and `.limit.action`: most tables, and whether more are an error.
    pub guardrail: Option<(u32, GuardrailAction)>,
}

pub(super) fn capture(settings: &Settings<'_>, findings: &mut Findings) -> CaptureOptions {
    let filter = |name: &str| CompiledFilter {
        include: settings.regexes(&format!("{name}.include.list")),
        exclude: settings.regexes(&format!("{name}.exclude.list")),
    };
    let most_tables = u32::try_from(settings.number("guardrail.collections.max")).ok().filter(|most| *most > 0);
    let action = settings.word("guardrail.collections.limit.action", GuardrailAction::parse, GuardrailAction::Warn);
    CaptureOptions {
        databases: filter("database"),
        tables: filter("table"),
        columns: filter("column"),
        ignore_builtin: settings.flag("table.ignore.builtin"),
        skipped_operations: settings.word("skipped.operations", SkippedOperations::parse, SkippedOperations::default()),
        skip_unchanged: settings.flag("skip.messages.without.change"),
        column_rules: column_rules(settings, &mut findings.errors),
        propagate_columns: settings.regexes("column.propagate.source.type"),
        propagate_types: settings.regexes("datatype.propagate.source.type"),
        key_columns: key_columns(settings, &mut findings.errors),
        guardrail: most_tables.map(|most| (most, action)),
    }
}

/// Rules in the order in which Debezium makes them.
fn column_rules(settings: &Settings<'_>, errors: &mut Vec<ConfigError>) -> Vec<ColumnRule> {
    let mut rules: [Vec<ColumnRule>; 4] = Default::default();
    for (property, list) in settings.values {
        let Some((rank, mask)) = mask(property) else {
            // A column that someone wanted masked must not be written in clear text over a typo.
            if ["column.mask.", "column.truncate."].iter().any(|family| property.starts_with(family)) {
                let expected = "a property whose name is that of a mask, such as column.mask.with.10.chars, column.truncate.to.10.chars or column.mask.hash.v2.SHA-256.with.salt.<salt>";
                errors.push(settings.invalid(property, list, expected));
            }
            continue;
        };
        let mask = match mask {
            Ok(mask) => mask,
            Err(expected) => {
                errors.push(settings.invalid(property, property.split(".with.salt.").next().unwrap_or(""), expected));
                continue;
            }
        };
        // A list that cannot be read was reported with the others.
        if let (Ok(columns), Some(rules)) = (RegexList::parse(list), rules.get_mut(rank)) {
            rules.push(ColumnRule { columns, mask });
        }
    }
    rules.concat()
}

/// The mask that a property's name asks for, and its rank.
fn mask(property: &str) -> Option<(usize, Result<ColumnMask, String>)> {
    let count = |text: &str, make: fn(u32) -> ColumnMask| match text.parse::<u32>() {
        Ok(count) if i32::try_from(count).is_ok() => Ok(make(count)),
        _ => Err("a name with a number of characters in it".to_owned()),
    };
    if let Some(text) = property.strip_prefix("column.truncate.to.").and_then(|rest| rest.strip_suffix(".chars")) {
        return Some((0, count(text, ColumnMask::Truncate)));
    }
    if let Some(text) = property.strip_prefix("column.mask.with.").and_then(|rest| rest.strip_suffix(".chars")) {
        return Some((1, count(text, ColumnMask::Asterisks)));
    }
    let hash = property.strip_prefix("column.mask.hash.")?;
    let (rank, version, hash) = match hash.strip_prefix("v2.") {
        Some(hash) => (3, HashVersion::V2, hash),
        None => (2, HashVersion::V1, hash),
    };
    let (algorithm, salt) = hash.split_once(".with.salt.").filter(|(_, salt)| !salt.is_empty())?;
    let Some(digest) = Digest::named(algorithm) else {
        let names: Vec<&str> = Digest::names().collect();
        return Some((rank, Err(format!("a name with one of the digests {}", names.join(", ")))));
    };
    Some((rank, Ok(ColumnMask::Hash { digest, salt: Secret::new(salt), version })))
}

/// `table:column,column;table:column`, each table an expression that its columns are put behind.
fn key_columns(settings: &Settings<'_>, errors: &mut Vec<ConfigError>) -> Vec<RegexList> {
    const PROPERTY: &str = "message.key.columns";
    let Some(text) = settings.text(PROPERTY) else { return Vec::new() };
    let mut keys = Vec::new();
    for part in text.split(';').filter(|part| !part.trim().is_empty()) {
        let halves: Vec<&str> = part.split(':').collect();
        let [table, columns] = halves.as_slice() else {
            errors.push(settings.invalid(PROPERTY, part, "of the form table:column,column"));
            continue;
        };
        let columns: Vec<&str> = columns.split(',').map(str::trim).collect();
        if table.trim().is_empty() || columns.iter().any(|column| column.is_empty()) {
            errors.push(settings.invalid(PROPERTY, part, "of the form table:column,column"));
            continue;
        }
        for column in columns {
            match RegexList::parse(&format!("{}.{column}", table.trim())) {
                Ok(expression) => keys.push(expression),
                Err(error) => errors.push(ConfigError::Regex { property: PROPERTY.to_owned(), error }),
            }
        }
    }
    keys
}

/// Expressions matched with regard to case, as Connect matches topics.
pub(super) fn case_sensitive(list: Option<String>) -> Vec<JavaRegex> {
    let list = list.map(|list| option::parse_list(&list)).unwrap_or_default();
    list.iter().filter_map(|part| JavaRegex::parse_case_sensitive(part).ok()).collect()
}
