//! `headwater check`: would these connectors run, and if not, what mends it.
//!
//! In: the files of a command line, as `headwater run` takes them. Out: a line a check: `ok`, `warn` or `FAIL`,
//! what was looked at, how it stands, and behind a dash the statement or setting that mends it; exit code 1
//! when a connector would not run. Promised: nothing is created, written or locked; no secret is printed; every
//! question has a deadline.

pub(super) mod brokers;
pub(super) mod database;
mod grants;
pub(super) mod postgres;
pub(super) mod stored;

use std::process::ExitCode;
use std::sync::Arc;

use super::run;
use crate::config::connector::ConnectorConfig;
use crate::config::worker::WorkerConfig;
use crate::error::{Coded, Failure};
use crate::pipeline::layouts::binlog_layouts;
use crate::pipeline::translate;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As it should be.
    Good,
    /// It runs, but somebody should know.
    Warning,
    /// It would not run.
    Bad,
}

/// Where checks say how they ended. Each line is printed at once, because the next check may take a while.
#[derive(Debug, Default)]
pub(super) struct Report {
    failed: usize,
    warned: usize,
    /// What was said, for tests.
    #[cfg(test)]
    pub(super) lines: Vec<String>,
}

impl Report {
    pub(super) fn add(&mut self, outcome: Outcome, name: &str, text: &str) {
        let word = match outcome {
            Outcome::Good => "ok  ",
            Outcome::Warning => "warn",
            Outcome::Bad => "FAIL",
        };
        match outcome {
            Outcome::Good => {}
            Outcome::Warning => self.warned += 1,
            Outcome::Bad => self.failed += 1,
        }
        let line = visible(&format!("{word}  {name}: {text}"));
        super::say(&line);
        #[cfg(test)]
        self.lines.push(line);
    }

    /// How much would keep a connector from running.
    pub(super) fn failed(&self) -> usize {
        self.failed
    }

    /// As it should be.
    pub(super) fn good(&mut self, name: &str, text: &str) {
        self.add(Outcome::Good, name, text);
    }

    /// It runs; `mend` says what would be better.
    pub(super) fn warn(&mut self, name: &str, text: &str, mend: &str) {
        self.add(Outcome::Warning, name, &format!("{text} — {mend}"));
    }

    /// It would not run; `mend` is the statement or setting.
    pub(super) fn bad(&mut self, name: &str, text: &str, mend: &str) {
        self.add(Outcome::Bad, name, &format!("{text} — {mend}"));
    }

    /// It would not run, for a reason that has a page.
    pub(super) fn failure(&mut self, name: &str, failure: &Failure) {
        self.bad(name, &failure.to_string(), failure.code.hint);
    }
}

/// Checks every connector of a command line.
pub fn run(arguments: &run::Arguments) -> ExitCode {
    let mut report = Report::default();
    let loaded = match run::load(arguments) {
        Ok(loaded) => loaded,
        Err(errors) => {
            for error in errors {
                report.bad("configuration", &format!("{}: {error}", error.code()), error.code().hint);
            }
            return end(&report);
        }
    };
    for warning in &loaded.warnings {
        report.add(Outcome::Warning, "configuration", &warning.to_string());
    }
    for config in &loaded.connectors {
        if loaded.connectors.len() > 1 {
            super::say(&format!("\n{}", config.name));
        }
        report.good("configuration", &format!("{} can be read", config.name));
        connector(config, &loaded.worker, &mut report);
    }
    end(&report)
}

fn connector(config: &ConnectorConfig, worker: &Arc<WorkerConfig>, report: &mut Report) {
    if let Some(options) = &config.postgres {
        let mut session = postgres::check(config, options, report);
        let tables = session.as_mut().map(|session| std::mem::take(&mut session.tables)).unwrap_or_default();
        if brokers::check(config, &tables, report)
            && let Some(stored) = stored::check_position(config, worker, report)
            && let Some(session) = &mut session
        {
            postgres::check_slot(session, stored.as_ref(), report);
        }
        brokers::check_converters(config, report);
        return;
    }
    let options = translate::binlog_options(config, Arc::new(binlog_layouts(config)));
    let mut session = database::check(config, &options, report);
    let tables = session.as_mut().map(|session| std::mem::take(&mut session.tables)).unwrap_or_default();
    if brokers::check(config, &tables, report) {
        let connection = session.as_mut().map(|session| &mut session.connection);
        stored::check(config, worker, connection.map(|connection| (connection, &options)), report);
    }
    brokers::check_converters(config, report);
    if let Some(session) = session {
        session.connection.close();
    }
}

fn end(report: &Report) -> ExitCode {
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let (failures, warnings) = (plural(report.failed, "failure"), plural(report.warned, "warning"));
    if report.failed > 0 {
        super::say(&format!("\nIt would not run: {failures}, {warnings}."));
        return ExitCode::from(super::EXIT_FAILED);
    }
    super::say(&format!("\nIt would run: {warnings}."));
    ExitCode::SUCCESS
}

/// Control characters escaped: what servers and files say must not steer the terminal.
fn visible(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for character in line.chars() {
        if character.is_control() {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// At most five names, and how many more there are.
fn listed<T: std::fmt::Display>(names: &[T]) -> String {
    const SHOWN: usize = 5;
    let mut text = names.iter().take(SHOWN).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(listed(&["a", "b"]), "a, b");
        assert_eq!(listed(&["a", "b", "c", "d", "e", "f", "g"]), "a, b, c, d, e and 2 more");
    }

    #[test]
    fn a_line_says_how_what_and_what_mends_it() {
        let mut report = Report::default();
        report.good("database", "MySQL 9.7.4");
        report.warn("binlog retention", "one hour", "SET PERSIST x = 1;");
        report.bad("log_bin", "OFF", "start the server with --log-bin");
        assert_eq!(
            report.lines,
            [
                "ok    database: MySQL 9.7.4",
                "warn  binlog retention: one hour — SET PERSIST x = 1;",
                "FAIL  log_bin: OFF — start the server with --log-bin",
            ]
        );
        assert_eq!((report.failed, report.warned), (1, 1));
        report.good("bell", "\u{7}\u{1b}[2J\né");
        assert_eq!(report.lines.last().map(String::as_str), Some("ok    bell: \\u{7}\\u{1b}[2J\\né"));
    }
}
