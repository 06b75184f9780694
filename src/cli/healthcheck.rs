//! `headwater healthcheck`: whether the worker's process answers. For containers, which ask by exit code.

use std::process::ExitCode;

use super::endpoint::Address;

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The worker.
    #[command(flatten)]
    pub address: Address,
    /// Asks for readiness: every connector is RUNNING.
    #[arg(long)]
    pub ready: bool,
}

/// Asks, and says it by the exit code: 0 when the worker answers, otherwise 1.
///
/// # Errors
/// When nobody answers.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let path = if arguments.ready { "/health/ready" } else { "/health/live" };
    let (status, text) = arguments.address.get(path)?;
    super::say(text.trim_end());
    Ok(if status == 200 { ExitCode::SUCCESS } else { ExitCode::from(super::EXIT_FAILED) })
}
