//! The reference of all options, as `headwater config` prints it.
//!
//! In: the option tables, and those of transforms and predicates. Out: Markdown. Promised: it is a pure function of the tables, so that a test can
//! compare the committed `docs/reference/configuration.md` with it; `UPDATE=1` rewrites that file.

use std::fmt::Write as _;

use super::option::{self, Applies, ConfigOption, Group, Importance, Kind, Status};
use crate::serialize;
use crate::transform;

/// The whole reference.
pub fn markdown() -> String {
    let mut out = String::from(INTRODUCTION);
    let mut groups: Vec<Group> = option::all().map(|option| option.group).collect();
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        section(&mut out, group);
    }
    converters(&mut out);
    transforms(&mut out);
    predicates(&mut out);
    old_names(&mut out);
    out
}

const INTRODUCTION: &str = "\
# Configuration

Every option of connectors and of the worker. This page is printed by `headwater config`; do not edit it by
hand (`UPDATE=1 cargo test reference` writes it).

Names, defaults and values are those of Debezium 3.6 and Kafka Connect, and what begins with `headwater.` is
ours. An option without a remark does what Debezium's or Kafka's manual says.

* **no effect**: accepted, and changes nothing here, for the reason given. Setting it is said once at start.
* **refused**: setting it to anything but the default is an error, because ignoring it would change the events.
* A name that no option has is ignored, as Connect does, with a warning that names the nearest option.
* **\u{2605}** stands in practically every deployment. **required** cannot be left out.
* `*` in a name stands for anything, `<x>` for one part of the name.
* Filters are comma-separated Java regular expressions, matched against the whole name in any case; a comma
  inside an expression is written `\\,`.
* `${env:NAME}`, `${file:/path/to/file.properties:key}` and `${dir:/path:file}` are replaced in every value of
  files on the command line; connectors that come by REST or from the store get only the providers that
  `config.providers` of the worker names.
* The worker's options also come from the environment, as in the Connect container images: `BOOTSTRAP_SERVERS`,
  `GROUP_ID`, `OFFSET_STORAGE_TOPIC` and their like, and `CONNECT_<NAME>` for any option (`_` is `.`, `__` is `-`,
  `___` is `_`). The command line is over the environment, and the environment over the file.
";

fn section(out: &mut String, group: Group) {
    let _ =
        write!(out, "\n## {}\n\n| option | type | default | for | meaning |\n|---|---|---|---|---|\n", group.title());
    for option in option::all().filter(|option| option.group == group) {
        row(out, option);
    }
}

fn row(out: &mut String, option: &ConfigOption) {
    let star = if option.importance == Importance::High { "**\u{2605}** " } else { "" };
    let default = match (option.default, option.required) {
        (Some(default), _) => format!("`{}`", cell(default)),
        (None, true) => "**required**".to_owned(),
        (None, false) => String::new(),
    };
    let status = match option.status {
        Status::Works => String::new(),
        Status::NoEffect(because) => format!(". **no effect**: {because}"),
        Status::Refused(because) => format!(". **refused**: {because}"),
    };
    let _ = writeln!(
        out,
        "| {star}`{}` | {} | {default} | {} | {}{} |",
        cell(option.name),
        kind(option),
        option.applies,
        cell(option.about),
        cell(&status),
    );
}

/// The type, with its unit and what it takes.
fn kind(option: &ConfigOption) -> String {
    let unit = option.unit.map_or(String::new(), |unit| format!(", {unit}"));
    let takes = match option.kind {
        Kind::Word(words, _) => {
            format!(": {}", words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
        }
        Kind::Number(least, most) => match (least, most) {
            (i64::MIN, _) => String::new(),
            (least, most) if most >= i64::from(i32::MAX) => format!(", {least} or more"),
            (least, most) => format!(", {least} to {most}"),
        },
        Kind::Text
        | Kind::Password
        | Kind::List
        | Kind::Bool
        | Kind::Regexes
        | Kind::Regex
        | Kind::Class
        | Kind::TopicName
        | Kind::Pairs => String::new(),
    };
    format!("{}{unit}{takes}", option.kind.name())
}

fn converters(out: &mut String) {
    out.push_str(
        "\n## Converters\n\nNamed by their Java classes in `key.converter`, `value.converter` and `header.converter`, with or without the package; their options stand beneath.\n",
    );
    for spec in serialize::SPECS {
        class(out, spec.name, spec.aliases, "", spec.about, spec.options);
    }
}

fn transforms(out: &mut String) {
    out.push_str(
        "\n## Transforms\n\nNamed by their Java classes in `transforms.NAME.type`, with or without the package. Each also takes `predicate` and `negate`.\n",
    );
    for spec in transform::SPECS {
        let both = spec.targets.contains(&transform::Target::Key);
        class(out, spec.name, spec.aliases, if both { "`$Key` or `$Value`" } else { "" }, spec.about, spec.options);
    }
}

fn predicates(out: &mut String) {
    out.push_str("\n## Predicates\n\nNamed by their Java classes in `predicates.NAME.type`.\n");
    for spec in transform::predicate::SPECS {
        class(out, spec.name, spec.aliases, "", spec.about, spec.options);
    }
}

/// One class and what can be set beneath its name.
fn class(
    out: &mut String,
    name: &str,
    aliases: &[&str],
    target: &str,
    about: &str,
    options: &[&[crate::util::class_options::ClassOption]],
) {
    let aliases: Vec<String> = aliases.iter().map(|alias| format!("`{alias}`")).collect();
    let with = if target.is_empty() { String::new() } else { format!(", with {target} behind it") };
    let _ = write!(out, "\n### {name}\n\n{}{with}. {about}.\n", aliases.join(", "));
    let mut options = options.iter().copied().flatten().peekable();
    if options.peek().is_some() {
        out.push_str("\n| option | default | meaning |\n|---|---|---|\n");
    }
    for option in options {
        let default = match option.default {
            "" => String::new(),
            default => format!("`{}`", cell(default)),
        };
        let _ = writeln!(out, "| `{}` | {default} | {} |", cell(option.name), cell(option.about));
    }
}

fn old_names(out: &mut String) {
    out.push_str("\n## Names of earlier generations\n\nTaken, with a warning that names today's.\n\n| old | today | since |\n|---|---|---|\n");
    let mut rows: Vec<(&str, &str, &str)> = option::all()
        .filter(|option| option.applies.meets(Applies::ALL))
        .flat_map(|option| option.old_names.iter().map(|old| (old.name, option.name, old.until)))
        .collect();
    rows.push(("sanitize.field.names=true", "field.name.adjustment.mode=avro", "2.0"));
    rows.sort_unstable();
    for (old, today, since) in rows {
        let _ = writeln!(out, "| `{}` | `{}` | {since} |", cell(old), cell(today));
    }
}

/// Text that does not end a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// `docs/reference/configuration.md` is what `headwater config` prints.
    #[test]
    fn the_committed_reference_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/configuration.md");
        let printed = markdown();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(std::path::Path::new(path).parent().unwrap()).unwrap();
            std::fs::write(path, &printed).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        let different = committed.lines().zip(printed.lines()).find(|(committed, printed)| committed != printed);
        assert_eq!(different, None, "run UPDATE=1 cargo test reference");
        assert_eq!(committed.len(), printed.len(), "run UPDATE=1 cargo test reference");
    }

    /// The options of Debezium's manual: section 1.2 of the notes that this project was planned with.
    #[test]
    fn every_documented_option_has_a_row() {
        let names = include_str!("options/documented.txt");
        let mut count = 0;
        for line in names.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let known =
                option::all().any(|option| option.name == line || (option.is(line) && option.name != "database.*"));
            assert!(known, "{line} has no row");
            count += 1;
        }
        assert!(count > 230, "{count}");
    }

    /// Nothing that a connector of Debezium declares is unknown here, for the database that declares it.
    #[test]
    fn every_declared_property_has_a_row() {
        let mut count = 0;
        let mut unknown = Vec::new();
        for line in include_str!("options/declared.txt").lines().filter(|line| !line.starts_with('#')) {
            let (pattern, places) = line.split_once(' ').unwrap();
            // Families are declared as expressions.
            let name = pattern.replace("([^.]+)", "SHA-256").replace("(d+)", "3").replace("(.+)", "x");
            for place in places.split(' ') {
                let place = if place == "mysql" { Applies::MYSQL } else { Applies::MARIADB };
                // A row of its own: that some family takes any name says nothing about a declared one.
                let own = |found: &ConfigOption| found.name == name || pattern.contains('(');
                let is_known = option::find(&name, place).is_some_and(own) || option::find_old(&name, place).is_some();
                if !is_known {
                    unknown.push(format!("{name} for {place}"));
                }
                count += 1;
            }
        }
        assert_eq!(unknown, Vec::<String>::new());
        assert!(count > 280, "{count}");
    }
}
