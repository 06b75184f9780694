//! Headwater beside Debezium: the same traffic, and everything that lands is compared.
//!
//! `recorded` (in `make test`) plays every scenario of `tests/scenarios` on Headwater and compares with what Debezium wrote when
//! it was recorded. `live` (`make parity`) plays them on both at once, where `HEADWATER_PARITY_CONNECT` is the address of a Kafka
//! Connect cluster with Debezium; `HEADWATER_PARITY_SCENARIOS` is a folder with other scenarios, `HEADWATER_PARITY_RECORD` keeps
//! what Debezium wrote, `HEADWATER_PARITY_ONLY` is a part of the names of those to play.
//!
//! What must differ is in one table, [`masks::MASKS`], each with its reason.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

#[path = "../support/mod.rs"]
mod support;

mod avro;
mod broker;
mod compare;
mod golden;
mod json;
mod landed;
mod masks;
mod page;
mod play;
mod scenario;
mod session;
mod sides;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use play::World;
use scenario::Scenario;
use support::address;

/// Whether Headwater plays the scenarios of PostgreSQL. Until it has that source, they are only recorded, on Debezium alone.
const HEADWATER_READS_POSTGRES: bool = true;

/// The scenarios of this project.
fn own_scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// The servers of the stack and where they are said to be.
const SERVERS: &[(&str, &str)] = &[
    ("mysql-9.7", "HEADWATER_TEST_MYSQL_97"),
    ("mysql-8.0", "HEADWATER_TEST_MYSQL_80"),
    ("mariadb-10.11", "HEADWATER_TEST_MARIADB_1011"),
    ("mariadb-11.8", "HEADWATER_TEST_MARIADB_118"),
    ("postgres-15", "HEADWATER_TEST_POSTGRES_15"),
    ("postgres-17", "HEADWATER_TEST_POSTGRES_17"),
    ("postgres-18", "HEADWATER_TEST_POSTGRES_18"),
    // For who starts one: no scenario of this project is played on it.
    ("mariadb-10.5", "HEADWATER_TEST_MARIADB_105"),
];

fn world(test: &str, connect: Option<String>) -> Option<World> {
    let broker = address("HEADWATER_TEST_KAFKA", test)?;
    let registry = address("HEADWATER_TEST_REGISTRY", test)?;
    let servers: BTreeMap<String, String> = SERVERS
        .iter()
        .filter_map(|(name, variable)| Some(((*name).to_owned(), std::env::var(variable).ok()?)))
        .collect();
    let group = std::env::var("CONNECT_GROUP").unwrap_or_else(|_| "connect".to_owned());
    Some(World {
        broker: broker::Broker::new(&broker),
        registry: landed::Registry::new(&registry),
        registry_url: registry,
        servers,
        connect: connect.map(|url| support::connect::Connect { url, offsets: format!("{group}-offsets") }),
    })
}

fn chosen(root: &Path, world: &World) -> Vec<Scenario> {
    let only = std::env::var("HEADWATER_PARITY_ONLY").unwrap_or_default();
    let wanted = |scenario: &Scenario| only.is_empty() || only.split(',').any(|part| scenario.name.contains(part));
    let all = scenario::all(root).into_iter().filter(wanted);
    let (here, gone): (Vec<_>, Vec<_>) = all.partition(|scenario| world.servers.contains_key(&scenario.server));
    for scenario in gone {
        let variable = SERVERS.iter().find(|(name, _)| *name == scenario.server).map_or("?", |(_, variable)| variable);
        address(variable, &format!("scenario {}", scenario.name));
    }
    here
}

/// What came of one scenario.
pub struct Outcome {
    /// The scenario.
    pub scenario: Scenario,
    /// Records compared.
    pub records: usize,
    /// What differs; nothing when the two are equal.
    pub differences: Vec<String>,
    /// What the connectors said that failed on both sides: whoever reads of a difference wants to know why they did.
    pub failures: Vec<String>,
}

impl Outcome {
    /// The differences that are not known.
    fn unknown(&self) -> Vec<&String> {
        let is_known = |line: &String| {
            self.scenario.known.iter().any(|(words, _)| line.contains(words.strip_prefix("? ").unwrap_or(words)))
        };
        self.differences.iter().filter(|line| !is_known(line)).collect()
    }

    /// What is said to differ and does not.
    fn gone(&self) -> Vec<&str> {
        if !self.scenario.is_for_headwater() {
            return Vec::new();
        }
        let is_there = |words: &String| self.differences.iter().any(|line| line.contains(words));
        let always = self.scenario.known.iter().filter(|(words, _)| !words.starts_with("? "));
        always.filter(|(words, _)| !is_there(words)).map(|(words, _)| words.as_str()).collect()
    }
}

/// Prints what differs. `all`: also what is equal, and known differences must be there, else their reasons are out of date.
fn report(outcomes: &[Outcome], all: bool) {
    let mut wrong = Vec::new();
    for outcome in outcomes {
        let (name, unknown) = (&outcome.scenario.name, outcome.unknown());
        let gone = if all { outcome.gone() } else { Vec::new() };
        if unknown.is_empty() && gone.is_empty() {
            if all {
                let known = if outcome.scenario.known.is_empty() { "" } else { ", but for known differences" };
                println!("equal    {name} ({} records{known})", outcome.records);
            }
            continue;
        }
        wrong.push(name);
        println!("DIFFERS  {name}");
        unknown.into_iter().chain(&outcome.failures).for_each(|line| println!("    {line}"));
        gone.iter().for_each(|words| println!("    NO LONGER DIFFERS, take it from known-differences: {words}"));
    }
    println!("{} scenarios, {} not as they should be", outcomes.len(), wrong.len());
    assert!(wrong.is_empty(), "not equal to Debezium, see above: {wrong:?}");
}

fn count(landed: &landed::Landed) -> usize {
    landed.values().map(Vec::len).sum()
}

/// Headwater alone gives what Debezium gave when it was recorded.
#[test]
fn recorded() {
    let Some(world) = world("parity, recorded", None) else { return };
    let mut scenarios = chosen(&own_scenarios(), &world);
    scenarios.retain(Scenario::is_for_headwater);
    let mut outcomes = play_recorded(&world, &scenarios);
    // The judge of formats is not the judge of a slow machine: what differs is played again, alone, and what came once is said.
    let again: Vec<Scenario> =
        outcomes.extract_if(.., |outcome| !outcome.unknown().is_empty()).map(first_outcome).collect();
    outcomes.extend(play_recorded(&world, &again));
    report(&outcomes, false);
}

fn first_outcome(outcome: Outcome) -> Scenario {
    println!("PLAYED AGAIN {}, because at first it differed:", outcome.scenario.name);
    outcome.unknown().into_iter().chain(&outcome.failures).for_each(|line| println!("    {line}"));
    outcome.scenario
}

fn play_recorded(world: &World, scenarios: &[Scenario]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let recorded: Vec<_> = scenarios.iter().filter_map(|one| Some((one, golden::read(&one.golden())?))).collect();
    for chunk in recorded.chunks(support::number("HEADWATER_PARITY_POOL", 40) as usize) {
        let pool: Vec<&Scenario> = chunk.iter().map(|(scenario, _)| *scenario).collect();
        for (played, (scenario, golden)) in play::play(world, &pool).into_iter().zip(chunk) {
            let mut differences = compare::differences(golden, &played.headwater, true);
            let (failures, troubles) = troubles(played.trouble, golden, &played.headwater);
            differences.extend(troubles);
            outcomes.push(Outcome { scenario: (*scenario).clone(), records: count(golden), differences, failures });
        }
    }
    outcomes
}

fn failed(side: &landed::Landed) -> bool {
    side.get("state").is_some_and(|state| state[0].text().as_deref() == Some("FAILED"))
}

/// A connector that fails where Debezium's fails too is no trouble: these failures apart, and the rest.
fn troubles(said: Vec<String>, debezium: &landed::Landed, headwater: &landed::Landed) -> (Vec<String>, Vec<String>) {
    let both = failed(debezium) && failed(headwater);
    said.into_iter().partition(|line| both && line.contains(" is FAILED: "))
}

/// Headwater and Debezium beside each other.
#[test]
fn live() {
    // Without a Connect cluster there is nothing to compare with: `make parity` starts one.
    let Ok(url) = std::env::var("HEADWATER_PARITY_CONNECT") else { return };
    let Some(world) = world("parity", Some(url)) else { return };
    let elsewhere = std::env::var_os("HEADWATER_PARITY_SCENARIOS").filter(|folder| !folder.is_empty());
    let root = elsewhere.clone().map_or_else(own_scenarios, PathBuf::from);
    let record = std::env::var_os("HEADWATER_PARITY_RECORD").is_some();
    let mut scenarios = chosen(&root, &world);
    let connectors = world.connect.as_ref().map(support::connect::Connect::versions).unwrap_or_default();
    scenarios.retain(|scenario| (record || scenario.is_for_headwater()) && scenario.is_of(&connectors));
    assert!(!scenarios.is_empty(), "no scenarios in {}", root.display());
    let mut outcomes = Vec::new();
    for chunk in scenarios.chunks(support::number("HEADWATER_PARITY_POOL", 12) as usize) {
        let pool: Vec<&Scenario> = chunk.iter().collect();
        for (played, scenario) in play::play(&world, &pool).into_iter().zip(chunk) {
            let headwater = if scenario.is_for_headwater() { &played.headwater } else { &played.debezium };
            let mut differences = compare::differences(&played.debezium, headwater, false);
            let (failures, troubles) = troubles(played.trouble, &played.debezium, headwater);
            let is_whole = troubles.iter().all(|line| line.starts_with("Headwater "))
                && (failed(&played.debezium) || played.debezium.keys().any(|place| place.starts_with("topic ")));
            differences.extend(troubles);
            if record && is_whole {
                golden::write(&scenario.golden(), &played.debezium);
            }
            let records = count(&played.debezium);
            let outcome = Outcome { scenario: scenario.clone(), records, differences, failures };
            println!("{} {}", scenario.name, if outcome.unknown().is_empty() { "equal" } else { "differs" });
            outcomes.push(outcome);
        }
    }
    if elsewhere.is_none() {
        page::write_results(&outcomes);
    }
    report(&outcomes, true);
}
