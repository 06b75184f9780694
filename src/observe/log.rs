//! Logging: text for people, JSON for machines, and levels that can be changed while the process runs.
//!
//! In: a format, levels. Out: lines on standard error. Promised: a level that cannot be understood changes nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing_subscriber::EnvFilter;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of text each.
    Text,
    /// One JSON object each.
    Json,
}

/// What part of the program is logged from which level on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logger {
    /// Its name as it was given; `root` for everything.
    pub name: String,
    /// Log4j's name of the level.
    pub level: String,
    /// When it was set, in milliseconds since the epoch; `None` for what the process began with.
    pub last_modified_ms: Option<i64>,
}

/// Why a level was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such level.
    Level,
    /// The name is none that a logger can have.
    Name,
}

/// Puts another filter into the running subscriber; says whether it took it.
type Reload = Box<dyn Fn(EnvFilter) -> bool + Send + Sync>;

struct Levels {
    /// What the process began with.
    first: String,
    /// What was set since, by name.
    set: BTreeMap<String, Logger>,
    reload: Reload,
}

static LEVELS: OnceLock<Mutex<Levels>> = OnceLock::new();

/// Levels that can be set at run time; more are no sane use.
const MOST_LOGGERS: usize = 1_000;

/// Starts logging to standard error. `level` chooses what is shown (`info`, or `info,headwater::source=debug`);
/// `RUST_LOG` is over it. Colours only where a person watches.
///
/// Called twice, the second call changes nothing: tests start it more than once.
pub fn start(format: LogFormat, level: &str) {
    let wanted = std::env::var("RUST_LOG").ok().filter(|text| EnvFilter::try_new(text).is_ok());
    let wanted = wanted.unwrap_or_else(|| level.to_ascii_lowercase());
    let first = if EnvFilter::try_new(&wanted).is_ok() { wanted } else { "info".to_owned() };
    let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let builder = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(&first)).with_ansi(ansi);
    let builder = builder.with_writer(std::io::stderr);
    let reload: Reload = match format {
        LogFormat::Text => {
            let builder = builder.with_target(false).with_filter_reloading();
            let handle = builder.reload_handle();
            if builder.try_init().is_err() {
                return;
            }
            Box::new(move |filter| handle.reload(filter).is_ok())
        }
        LogFormat::Json => {
            let builder = builder.json().flatten_event(true).with_target(false).with_filter_reloading();
            let handle = builder.reload_handle();
            if builder.try_init().is_err() {
                return;
            }
            Box::new(move |filter| handle.reload(filter).is_ok())
        }
    };
    drop(LEVELS.set(Mutex::new(Levels { first, set: BTreeMap::new(), reload })));
}

/// The loggers whose level is known.
pub fn loggers() -> Vec<Logger> {
    let Some(levels) = LEVELS.get() else { return Vec::new() };
    let levels = levels.lock().unwrap_or_else(PoisonError::into_inner);
    let mut found = levels.set.clone();
    for directive in levels.first.split(',') {
        let (name, level) = directive.split_once('=').unwrap_or(("root", directive));
        if let Some(level) = level_of(level) {
            let logger = Logger { name: name.to_owned(), level: level.to_owned(), last_modified_ms: None };
            found.entry(name.to_owned()).or_insert(logger);
        }
    }
    found.into_values().collect()
}

/// Log4j's name of a level, in any case.
fn level_of(name: &str) -> Option<&'static str> {
    ["OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"]
        .into_iter()
        .find(|known| name.trim().eq_ignore_ascii_case(known))
}

fn directive_of(level: &str) -> &'static str {
    match level {
        "OFF" => "off",
        "FATAL" | "ERROR" => "error",
        "WARN" => "warn",
        "DEBUG" => "debug",
        "TRACE" | "ALL" => "trace",
        _ => "info",
    }
}

/// The part of this program that a logger of Java's stands for; `None` for everything.
fn target_of(name: &str) -> Option<String> {
    const PARTS: &[(&str, &str)] = &[
        ("io.debezium.connector.mysql", "headwater::source::binlog"),
        ("io.debezium.connector.mariadb", "headwater::source::binlog"),
        ("io.debezium.connector.binlog", "headwater::source::binlog"),
        ("io.debezium.connector.postgresql", "headwater::source::postgres"),
        ("io.debezium.transforms", "headwater::transform"),
        ("io.debezium", "headwater"),
        ("org.apache.kafka.connect.runtime.rest", "headwater::admin"),
        ("org.apache.kafka.connect.storage", "headwater::store"),
        ("org.apache.kafka.connect", "headwater"),
        ("org.apache.kafka", "headwater::sink"),
        ("io.confluent", "headwater::serialize"),
    ];
    if name.eq_ignore_ascii_case("root") {
        return None;
    }
    let begins =
        |package: &str| name.strip_prefix(package).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let part = PARTS.iter().find(|(package, _)| begins(package));
    Some(part.map_or_else(|| name.replace('.', "::"), |(_, part)| (*part).to_owned()))
}

/// Logs a part of the program from this level on.
///
/// # Errors
/// When there is no such level, or the name is none.
pub fn set_level(name: &str, level: &str) -> Result<(), Refused> {
    let level = level_of(level).ok_or(Refused::Level)?;
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-' | '$');
    if name.is_empty() || !name.chars().all(legal) {
        return Err(Refused::Name);
    }
    let Some(levels) = LEVELS.get() else { return Err(Refused::Name) };
    let mut levels = levels.lock().unwrap_or_else(PoisonError::into_inner);
    if levels.set.len() >= MOST_LOGGERS && !levels.set.contains_key(name) {
        return Err(Refused::Name);
    }
    let now = crate::util::clock::now_ms();
    let logger = Logger { name: name.to_owned(), level: level.to_owned(), last_modified_ms: Some(now) };
    let mut set = levels.set.clone();
    set.insert(name.to_owned(), logger);
    let mut directives = vec![levels.first.clone()];
    directives.extend(set.values().map(|logger| match target_of(&logger.name) {
        Some(target) => format!("{target}={}", directive_of(&logger.level)),
        None => directive_of(&logger.level).to_owned(),
    }));
    let filter = EnvFilter::try_new(directives.join(",")).map_err(|_| Refused::Name)?;
    if !(levels.reload)(filter) {
        return Err(Refused::Name);
    }
    levels.set = set;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_java_stand_for_parts_of_this_program() {
        let check = |name: &str, target: Option<&str>| assert_eq!(target_of(name).as_deref(), target, "{name}");
        check("root", None);
        check("io.debezium", Some("headwater"));
        check("io.debeziumx", Some("io::debeziumx"));
        check("io.debezium.connector.mysql.MySqlConnectorTask", Some("headwater::source::binlog"));
        check("org.apache.kafka.connect.runtime.WorkerSourceTask", Some("headwater"));
        check("headwater.sink", Some("headwater::sink"));
    }
}
