//! `headwater migrate`: from a running Kafka Connect cluster to Headwater, and the way back.
//!
//! In: the address of Connect's REST API, and the worker's file. Out: for each connector lines that say what works, what
//! differs and what is refused, property by property; its file and the worker's; the steps to switch. Promised: on Connect, in
//! the database and in Kafka nothing is changed, by `GET` and `SELECT` alone; no secret reaches the terminal; exit code
//! 1 when a connector of Debezium cannot move. The files survive a crash, each whole or not there.
//!
//! ```text
//!  Connect ─http─▶ cluster ─▶ connector (judgement, check) ─▶ report
//!                     │            ▲
//!                     └─▶ files    └── worker                  steps
//! ```

mod cluster;
mod connector;
mod error;
mod files;
mod http;
mod steps;
mod worker;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub use error::CODES;

use super::check::Report;
use super::{Context, EXIT_FAILED, say};
use crate::error::Failure;
use cluster::{Cluster, Connector, Offsets};
use connector::Owner;
use error::MigrateError;
use files::Planned;
use http::{Client, printable};
use worker::{Origin, Worker};

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Where Connect is.
    #[command(flatten)]
    pub address: http::Address,
    /// The worker's file: connect-distributed.properties. In a Connect container its environment is enough.
    #[arg(long, value_name = "FILE")]
    pub worker: Option<PathBuf>,
    /// Only this connector; may be given several times. All of them otherwise.
    #[arg(long = "connector", value_name = "NAME")]
    pub connectors: Vec<String>,
    /// The folder that the files are written to.
    #[arg(long, value_name = "FOLDER", default_value = "migrated")]
    pub output: PathBuf,
    /// Says everything and writes nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Replaces files that are there.
    #[arg(long)]
    pub force: bool,
}

/// One connector with what is known of it.
struct Candidate<'c> {
    connector: &'c Connector,
    file: Planned,
    offsets: Offsets,
    moves: bool,
}

/// Reads, says, writes, prints the steps.
pub fn run(arguments: &Arguments, context: &Context) -> ExitCode {
    match migrate(arguments, context) {
        Ok(code) => code,
        Err(error) => {
            let failure = Failure::from(error);
            eprintln!("{failure}\n  {}", failure.code.hint);
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn migrate(arguments: &Arguments, context: &Context) -> Result<ExitCode, MigrateError> {
    let client = Client::new(&arguments.address)?;
    let cluster = cluster::read(&client)?;
    let chosen = chosen(&cluster, &arguments.connectors)?;
    let worker = match worker::read(arguments.worker.as_deref(), &cluster) {
        Ok(worker) => worker,
        Err(errors) => return Ok(context.refuse(&errors)),
    };
    let count = match cluster.connectors.len() {
        1 => "1 connector".to_owned(),
        count => format!("{count} connectors"),
    };
    say(&format!("Kafka Connect {} at {}: {count}", printable(&cluster.version, 40), client.base()));
    let mut report = Report::default();
    let ours: Vec<&Connector> = of(&chosen, Owner::Ours);
    let later: Vec<&Connector> = of(&chosen, Owner::Later);
    if !ours.is_empty() {
        worker::check(&worker, &cluster, &mut report);
    }
    let mut candidates = Vec::new();
    for connector in ours {
        say(&format!("\n{}: {}", printable(&connector.name, 200), printable(connector.class(), 200)));
        let file = files::of_connector(&arguments.output, connector);
        let offsets = cluster::offsets(&client, &connector.name)?;
        let moves = connector::examine(connector, &file, &worker, &offsets, &mut report);
        candidates.push(Candidate { connector, file, offsets, moves });
    }
    stay(&chosen);
    if candidates.is_empty() {
        say("\nNo connector of Debezium for MySQL or MariaDB: nothing to move.");
        return Ok(if later.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FAILED) });
    }
    write(arguments, &worker, &cluster, &candidates)?;
    Ok(end(arguments, &client, &worker, &candidates, later.len()))
}

/// The connectors that were asked for.
fn chosen<'c>(cluster: &'c Cluster, names: &[String]) -> Result<Vec<&'c Connector>, MigrateError> {
    for name in names {
        if !cluster.connectors.iter().any(|connector| connector.name == *name) {
            let found = cluster.connectors.iter().map(|connector| printable(&connector.name, 200)).collect();
            return Err(MigrateError::NoSuchConnector { name: printable(name, 200), found });
        }
    }
    let wanted = |connector: &&Connector| names.is_empty() || names.contains(&connector.name);
    Ok(cluster.connectors.iter().filter(wanted).collect())
}

fn of<'c>(chosen: &[&'c Connector], owner: Owner) -> Vec<&'c Connector> {
    chosen.iter().copied().filter(|connector| connector::owner(connector.class()) == owner).collect()
}

/// Names what does not move, and why.
fn stay(chosen: &[&Connector]) {
    let mut lines = Vec::new();
    for (owner, why) in [
        (Owner::Later, "Debezium's for a database that a later version of Headwater reads"),
        (Owner::Other, "not Debezium's"),
    ] {
        for connector in of(chosen, owner) {
            let (name, class) = (printable(&connector.name, 200), printable(connector.class(), 200));
            lines.push(format!("  {name}: {class}: {why}"));
        }
    }
    if !lines.is_empty() {
        say("\nStays on Connect:");
        lines.iter().for_each(|line| say(line));
    }
}

/// Where the worker's file will be. One that lies there already, and is the one that was read, is used as it is.
fn worker_file(arguments: &Arguments, worker: &Worker) -> Option<PathBuf> {
    (worker.origin != Origin::Environment).then(|| arguments.output.join(files::WORKER_FILE))
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn write(
    arguments: &Arguments,
    worker: &Worker,
    cluster: &Cluster,
    candidates: &[Candidate<'_>],
) -> Result<(), MigrateError> {
    let mut planned: Vec<Planned> = candidates.iter().map(|candidate| candidate.file.clone()).collect();
    let path = worker_file(arguments, worker);
    let own = arguments.worker.as_deref();
    if let Some(path) = path.filter(|path| own.is_none_or(|own| !is_same(own, path))) {
        let content = worker::file(worker, cluster)
            .map_err(|reason| MigrateError::FileWrite { path: path.clone(), reason })?
            .unwrap_or_default();
        planned.push(Planned { path, content });
    }
    let names: Vec<String> = planned.iter().map(|file| file.path.display().to_string()).collect();
    if arguments.dry_run {
        say(&format!("\nNothing is written (--dry-run). Without it: {}", names.join(", ")));
        return Ok(());
    }
    files::write(&arguments.output, &planned, arguments.force)?;
    say(&format!(
        "\nWritten, for your eyes only, because secrets stand in them as Connect has them: {}",
        names.join(", ")
    ));
    Ok(())
}

fn end(
    arguments: &Arguments,
    client: &Client,
    worker: &Worker,
    candidates: &[Candidate<'_>],
    later: usize,
) -> ExitCode {
    let moving: Vec<&Candidate<'_>> = candidates.iter().filter(|candidate| candidate.moves).collect();
    if !moving.is_empty() {
        let file = worker_file(arguments, worker);
        let moves: Vec<steps::Move<'_>> = moving
            .iter()
            .map(|candidate| steps::Move { name: &candidate.connector.name, file: &candidate.file.path })
            .collect();
        let listener = worker::free_listener(&worker.config);
        let own = worker.config.listeners.first().map_or(8083, |listener| listener.port);
        let port = listener.as_deref().and_then(|url| url.rsplit(':').next()?.parse().ok()).unwrap_or(own);
        let situation = steps::Situation {
            client,
            can_stop: !moving.iter().any(|candidate| candidate.offsets == Offsets::NotTold),
            program: std::env::args().next().unwrap_or_else(|| "headwater".to_owned()),
            worker: file.as_deref(),
            to_fill_in: worker.origin == Origin::Unknown,
            listener,
            url: format!("http://127.0.0.1:{port}"),
        };
        steps::steps(&situation, &moves).iter().for_each(|line| say(line));
    }
    let stuck: Vec<String> = candidates
        .iter()
        .filter(|candidate| !candidate.moves)
        .map(|candidate| printable(&candidate.connector.name, 200))
        .collect();
    let all = candidates.len() + later;
    let plural = if all == 1 { "" } else { "s" };
    say(&format!("\n{} of {all} connector{plural} of Debezium can move.", moving.len()));
    if !stuck.is_empty() {
        say(&format!("Not {}: mend what FAIL says above, and ask again.", stuck.join(", ")));
    }
    if moving.len() == all { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FAILED) }
}

#[cfg(test)]
mod tests;
