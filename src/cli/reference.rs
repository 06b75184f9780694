//! `headwater config`: the reference of all options.

use std::process::ExitCode;

/// Prints the reference as Markdown.
pub fn run() -> ExitCode {
    super::say(crate::config::reference::markdown().trim_end_matches('\n'));
    ExitCode::SUCCESS
}
