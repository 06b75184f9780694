//! What is captured: databases, tables, columns, operations.

use super::super::option::{Applies, ConfigOption, Group, Kind, option};
use super::old;
use crate::model::modes::SkippedOperations;

const OPERATIONS: Kind =
    Kind::Word(&["a list of c, u, d, t, r", "none"], |list| SkippedOperations::parse(list).map(|_| ""));

pub(super) const OPTIONS: &[ConfigOption] = &[
    row("database.include.list", Kind::Regexes, "Databases that are captured; all when it is empty")
        .high()
        .was(&[old("database.whitelist", "1.3")]),
    row("database.exclude.list", Kind::Regexes, "Databases that are not captured")
        .was(&[old("database.blacklist", "1.3")]),
    row("schema.include.list", Kind::Regexes, "Schemas that are captured; all when it is empty")
        .for_(Applies::POSTGRES)
        .was(&[old("schema.whitelist", "1.3")]),
    row("schema.exclude.list", Kind::Regexes, "Schemas that are not captured")
        .for_(Applies::POSTGRES)
        .was(&[old("schema.blacklist", "1.3")]),
    row("table.include.list", Kind::Regexes, "Tables that are captured, as database.table; all when it is empty")
        .high()
        .was(&[old("table.whitelist", "1.3")]),
    row("table.exclude.list", Kind::Regexes, "Tables that are not captured, as database.table")
        .was(&[old("table.blacklist", "1.3")]),
    row(
        "column.include.list",
        Kind::Regexes,
        "Columns that are captured, as database.table.column; columns of the key always stay in the key",
    )
    .was(&[old("column.whitelist", "1.3")]),
    row("column.exclude.list", Kind::Regexes, "Columns that are not captured, as database.table.column")
        .was(&[old("column.blacklist", "1.3")]),
    row("table.ignore.builtin", Kind::Bool, "Whether the server's own tables are left out").or("true").low(),
    row("skipped.operations", OPERATIONS, "Operations of which no event is written: c, u, d, t and r, or none").or("t"),
    row("skip.messages.without.change", Kind::Bool, "Whether an update that changes no captured column is left out")
        .or("false"),
];

const fn row(name: &'static str, kind: Kind, about: &'static str) -> ConfigOption {
    option(name, kind, about).under(Group::Filters)
}
