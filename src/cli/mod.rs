//! The command line: one file a command.
//!
//! In: arguments. Out: an exit code and what a person reads. Promised: no logic that another command or a
//! test would need. Nothing here survives a crash.

pub mod check;
pub mod demo;
pub mod endpoint;
pub mod explain;
pub mod healthcheck;
pub mod migrate;
pub mod reference;
pub mod run;
pub mod status;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::ConfigError;
use crate::error::Coded;

/// The configuration cannot be used.
pub const EXIT_CONFIGURATION: u8 = 2;
/// A pipeline did not end, and the process has to: whoever started it is to start it again (sysexits' EX_TEMPFAIL).
pub const EXIT_UNDEAD: u8 = 75;
/// Something failed that a person has to mend.
pub const EXIT_FAILED: u8 = 1;

/// Change data capture from MySQL, MariaDB and PostgreSQL to Kafka, in place of Debezium on Kafka Connect.
#[derive(Parser, Debug)]
#[command(name = "headwater", version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Runs connectors until asked to stop.
    Run(run::Arguments),
    /// Checks whether connectors would run, and says what mends what is wrong.
    Check(run::Arguments),
    /// Reads a Kafka Connect cluster, says what would move here, writes the files, and prints the steps.
    Migrate(migrate::Arguments),
    /// Shows it at work: a database that is written to, a connection that hangs, and nothing lost.
    Demo(demo::Arguments),
    /// Says how the connectors of a running worker are.
    Status(status::Arguments),
    /// Explains an error code, or lists all.
    Explain(explain::Arguments),
    /// Prints the reference of all options, as Markdown.
    Config,
    /// Asks a worker whether it is alive, for containers.
    Healthcheck(healthcheck::Arguments),
}

/// What every command has at hand.
pub struct Context;

impl Context {
    /// Prints everything that is wrong with a configuration.
    pub fn refuse(&self, errors: &[ConfigError]) -> ExitCode {
        for error in errors {
            eprintln!("{}: {error}", error.code());
        }
        eprintln!("`headwater explain CODE` says what to do about each.");
        ExitCode::from(EXIT_CONFIGURATION)
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        Command::Run(arguments) => run::run(arguments, &Context),
        Command::Check(arguments) => Ok(check::run(arguments)),
        Command::Migrate(arguments) => Ok(migrate::run(arguments, &Context)),
        Command::Demo(arguments) => demo::run(arguments),
        Command::Status(arguments) => status::run(arguments),
        Command::Explain(arguments) => Ok(explain::run(arguments)),
        Command::Config => Ok(reference::run()),
        Command::Healthcheck(arguments) => healthcheck::run(arguments),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(EXIT_FAILED)
        }
    }
}

/// Prints a line. A reader that has gone (`| head`) ends the output and is no error.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// The machine's name, for the worker's id; `localhost` where it has none.
pub fn host_name() -> String {
    let read = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = read.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}
