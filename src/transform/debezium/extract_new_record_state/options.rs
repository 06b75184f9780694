//! The options of `ExtractNewRecordState`: their names, defaults and checks, and the two names of Debezium before 3.0.
//!
//! Debezium 3.x ignores the old names without a word, so that a configuration that asks for rewritten deletes gets nulls. Here
//! they mean what they meant, where today's name is not set; removing them gives what 3.x does.

use std::sync::Once;

use crate::transform::TransformError;
use crate::util::class_options::{BadOption, ClassOption, Options};

/// What can be set.
pub static OPTIONS: &[ClassOption] = &[
    ClassOption::new(
        "delete.tombstone.handling.mode",
        "tombstone",
        "what becomes of deletes and tombstones: drop, tombstone, rewrite, rewrite-with-tombstone or delete-to-tombstone",
    ),
    ClassOption::new(
        "add.fields",
        "",
        "fields of the envelope that are added to the value: op, source.ts_ms, table:name",
    ),
    ClassOption::new("add.fields.prefix", "__", "what their names begin with"),
    ClassOption::new("add.headers", "", "fields of the envelope that become headers"),
    ClassOption::new("add.headers.prefix", "__", "what their names begin with"),
    ClassOption::new("route.by.field", "", "the column whose value is the topic"),
    ClassOption::new("drop.fields.header.name", "", "the header that lists fields to be left out"),
    ClassOption::new("drop.fields.from.key", "false", "whether they are left out of the key, too"),
    ClassOption::new("drop.fields.keep.schema.compatible", "true", "whether only optional fields are left out"),
    ClassOption::new(
        "replace.null.with.default",
        "true",
        "whether null becomes the column's default where rows are rewritten",
    ),
    ClassOption::new("delete.handling.mode", "drop", "before Debezium 3.0: drop, none or rewrite"),
    ClassOption::new("drop.tombstones", "true", "before Debezium 3.0: whether tombstones are left out"),
];

/// What becomes of a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletes {
    /// It is left out.
    Drop,
    /// Null, with the schema of rows.
    Null,
    /// Null without a schema.
    Tombstone,
    /// The row before, marked as deleted.
    Rewrite,
}

/// A field of the envelope that is added to value or headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The struct that holds it; `None` for the envelope itself.
    pub structure: Option<String>,
    /// Its name there.
    pub field: String,
    /// What it is called where it is added.
    pub name: String,
}

/// The options, checked.
pub struct ExtractOptions {
    pub deletes: Deletes,
    pub keep_tombstones: bool,
    pub fields: Vec<Reference>,
    pub headers: Vec<Reference>,
    pub route_by: Option<String>,
    pub drop_header: Option<String>,
    pub drop_from_key: bool,
    pub keep_compatible: bool,
    pub replace_null: bool,
}

impl ExtractOptions {
    /// Reads and checks them.
    ///
    /// # Errors
    /// The first that is not usable.
    pub fn read(options: &Options<'_>) -> Result<Self, TransformError> {
        let (deletes, keep_tombstones) = deletes(options)?;
        Ok(ExtractOptions {
            deletes,
            keep_tombstones,
            fields: references(options, "add.fields", "add.fields.prefix")?,
            headers: references(options, "add.headers", "add.headers.prefix")?,
            route_by: options.text("route.by.field").map(str::to_owned),
            drop_header: options.text("drop.fields.header.name").map(str::to_owned),
            drop_from_key: options.flag("drop.fields.from.key", false)?,
            keep_compatible: options.flag("drop.fields.keep.schema.compatible", true)?,
            replace_null: options.flag("replace.null.with.default", true)?,
        })
    }
}

/// What becomes of deletes, and whether tombstones stay.
fn deletes(options: &Options<'_>) -> Result<(Deletes, bool), BadOption> {
    let option = "delete.tombstone.handling.mode";
    let old = options.any(&["delete.handling.mode", "drop.tombstones"]).is_some();
    Ok(match options.text(option).map(str::to_ascii_lowercase).as_deref() {
        None if old => return old_deletes(options),
        None | Some("tombstone") => (Deletes::Null, false),
        Some("drop") => (Deletes::Drop, false),
        Some("rewrite") => (Deletes::Rewrite, false),
        Some("rewrite-with-tombstone") => (Deletes::Rewrite, true),
        Some("delete-to-tombstone") => (Deletes::Tombstone, false),
        Some(value) => {
            let expected = "drop, tombstone, rewrite, rewrite-with-tombstone or delete-to-tombstone";
            return Err(BadOption { option, value: value.to_owned(), expected });
        }
    })
}

/// The options of Debezium 2, which 3 ignores: who still has them wrote them for what they meant.
fn old_deletes(options: &Options<'_>) -> Result<(Deletes, bool), BadOption> {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!(
            "drop.tombstones and delete.handling.mode are names of Debezium before 3.0 and still mean what they meant; today's is delete.tombstone.handling.mode"
        );
    });
    let option = "delete.handling.mode";
    let deletes = match options.text(option).map(str::to_ascii_lowercase).as_deref() {
        None | Some("drop") => Deletes::Drop,
        Some("none") => Deletes::Null,
        Some("rewrite") => Deletes::Rewrite,
        Some(value) => return Err(BadOption { option, value: value.to_owned(), expected: "drop, none or rewrite" }),
    };
    Ok((deletes, !options.flag("drop.tombstones", true)?))
}

/// `op`, `source.ts_ms`, `table:name`: fields with an optional struct before and an optional name behind them.
fn references(
    options: &Options<'_>,
    list: &'static str,
    prefix: &'static str,
) -> Result<Vec<Reference>, TransformError> {
    // An empty prefix is one, too.
    let prefix = options.all().find(|(name, _)| *name == prefix).map_or("__", |(_, value)| value);
    let one = |entry: &str| {
        let (path, alias) = match entry.split_once(':') {
            Some((path, alias)) => (path, Some(alias.trim_end_matches(':')).filter(|alias| !alias.is_empty())),
            None => (entry, None),
        };
        if alias.is_some_and(|alias| alias.contains(':')) {
            return Err(TransformError::Options { reason: format!("{list}: unexpected field name {entry}") });
        }
        let mut parts = path.split('.');
        let first = parts.next().unwrap_or_default();
        let (structure, field, name) = match parts.next().filter(|part| !part.is_empty()) {
            Some(field) => (Some(first.to_owned()), field, format!("{first}_{field}")),
            None => (home(first).map(str::to_owned), first, first.to_owned()),
        };
        let name = alias.map_or(name, str::to_owned);
        Ok(Reference { structure, field: field.to_owned(), name: format!("{prefix}{name}") })
    };
    options.list(list).into_iter().map(one).collect()
}

/// The struct of a field that is named alone.
fn home(field: &str) -> Option<&'static str> {
    match field {
        "id" | "total_order" | "data_collection_order" => Some("transaction"),
        "op" | "ts_ms" | "ts_us" | "ts_ns" => None,
        _ => Some("source"),
    }
}
