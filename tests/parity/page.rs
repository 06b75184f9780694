//! `docs/parity.md`: what was compared and with what result, and what becomes of every property.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use headwater::config::option::{self, Applies, Status};

use super::{Outcome, masks, own_scenarios, scenario};

const INTRODUCTION: &str = "\
# Parity with Debezium

Generated; do not edit. `make parity` runs the scenarios of `tests/scenarios` on Debezium (MySQL connector 3.6.1, MariaDB connector
3.5.0, PostgreSQL connector 3.6.3, on Kafka Connect 4.3.1) and on Headwater at once, against the same server and the same traffic, compares everything that
lands, and writes the results here. `make parity SCENARIOS=folder` does the same with scenarios of your own; what a scenario is
stands at the top of `tests/parity/scenario.rs`. `UPDATE=1 cargo test --test parity page` brings the other tables up to date.

## Scenarios

| scenario | shows | result |
|---|---|---|
";

fn path() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/parity.md"))
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The results that the page has now, by scenario.
fn results() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(path()).unwrap_or_default();
    let section = text.split("## Scenarios").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap_or_default();
    let rows = section.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let name = cells.first()?.strip_prefix('`')?.strip_suffix('`')?;
        Some((name.to_owned(), (*cells.last()?).to_owned()))
    });
    rows.collect()
}

fn result(outcome: &Outcome) -> String {
    if !outcome.scenario.is_for_headwater() {
        return "not compared yet".to_owned();
    }
    let reasons: Vec<&str> = outcome.scenario.known.iter().map(|(_, why)| why.as_str()).collect();
    match (outcome.unknown().len(), reasons.is_empty()) {
        (0, true) => format!("equal, {} records", outcome.records),
        (0, false) => format!("equal, {} records, but: {}", outcome.records, cell(&reasons.join("; "))),
        (places, _) => format!("**differs** in {places} places"),
    }
}

/// Writes the page with these results over those that it has.
pub fn write_results(outcomes: &[Outcome]) {
    let mut results = results();
    results.extend(outcomes.iter().map(|outcome| (outcome.scenario.name.clone(), result(outcome))));
    std::fs::write(path(), page(&results)).unwrap();
}

fn page(results: &BTreeMap<String, String>) -> String {
    let mut out = INTRODUCTION.to_owned();
    for scenario in scenario::all(&own_scenarios()) {
        let result = results.get(&scenario.name).map_or("not compared yet", String::as_str);
        writeln!(out, "| `{}` | {} | {result} |", scenario.name, cell(&scenario.about)).unwrap();
    }
    out.push_str("\n## What must differ\n\nNothing else is left out of the comparison.\n\n| records | fields | when | why |\n|---|---|---|---|\n");
    for mask in masks::MASKS {
        let fields = mask.fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
        let when = match mask.when {
            masks::When::Always => "always",
            masks::When::Snapshot => "in the snapshot of definitions",
            masks::When::MariaDb => "MariaDB",
            masks::When::Recorded => "against golden files only",
        };
        writeln!(out, "| {:?} | {fields} | {when} | {} |", mask.on, mask.because).unwrap();
    }
    properties(&mut out);
    out
}

/// What becomes of a property.
fn standing(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Works => ("works", ""),
        Status::NoEffect(because) | Status::Refused(because) if option::is_planned(because) => ("planned", because),
        Status::NoEffect(because) => ("accepted, meaningless here", because),
        Status::Refused(because) => ("refused", because),
    }
}

fn properties(out: &mut String) {
    out.push_str("\n## Properties\n\nEvery property that Debezium and Kafka Connect document for these connectors and their worker.\n\n");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rows = String::new();
    for option in option::all() {
        let (word, because) = standing(option.status);
        *counts.entry(word).or_default() += 1;
        writeln!(rows, "| `{}` | {} | {word} | {} |", cell(option.name), option.applies, cell(because)).unwrap();
    }
    for (word, count) in counts {
        writeln!(out, "* {word}: {count}").unwrap();
    }
    out.push_str("\n| property | for | state | because |\n|---|---|---|---|\n");
    out.push_str(&rows);
}

/// The page lists the scenarios, the masks and the properties that there are.
#[test]
fn page_is_current() {
    let current = page(&results());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path(), &current).unwrap();
    }
    let committed = std::fs::read_to_string(path()).unwrap_or_default();
    let different = committed.lines().zip(current.lines()).find(|(committed, current)| committed != current);
    assert_eq!(different, None, "run UPDATE=1 cargo test --test parity page");
    assert_eq!(committed.len(), current.len(), "run UPDATE=1 cargo test --test parity page");
}

/// Every property that Debezium documents is in one of the four states.
#[test]
fn every_documented_property_has_a_state() {
    let names = include_str!("../../src/config/options/documented.txt");
    let names = names.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let unknown: Vec<&str> = names
        .filter(|name| {
            let places = [Applies::MYSQL, Applies::MARIADB, Applies::POSTGRES, Applies::WORKER];
            // A family that takes any name of the driver's says nothing about a documented one.
            !places.iter().any(|place| option::find(name, *place).is_some_and(|found| found.name != "database.*"))
        })
        .collect();
    assert!(unknown.is_empty(), "documented, and in no table: {unknown:?}");
}
