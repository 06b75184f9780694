//! One connector of a Connect cluster: would it run here?
//!
//! In: the connector, the worker, what Connect says of its position. Out: lines of a report, and whether it can move.
//! Promised: properties are judged by the parser that `run` uses, the rest by what `check` asks; where Connect's REST
//! API and the topic of offsets do not agree that there is a position, that is a failure: a connector that begins anew
//! would lose what lies between. No value of a property is printed but where the parser itself prints it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::cluster::{Connector, Offsets};
use super::files::Planned;
use super::http::printable;
use super::worker::{Origin, Worker};
use crate::cli::check::{Outcome, Report, brokers, database, postgres, stored};
use crate::config::connector::ConnectorConfig;
use crate::config::judgement::{self, Standing, Verdict};
use crate::config::source_file;
use crate::error::{Coded as _, Failure};
use crate::model::modes::DebeziumGeneration;
use crate::model::position::{Printed, StoredOffset};
use crate::pipeline::layouts::binlog_layouts;
use crate::pipeline::translate;
use crate::store::offset;

/// Whose a connector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Debezium's for MySQL, MariaDB or PostgreSQL.
    Ours,
    /// Debezium's for another database.
    Later,
    /// Somebody else's.
    Other,
}

/// Whose a connector is, by its class.
pub(super) fn owner(class: &str) -> Owner {
    let (package, simple) = class.rsplit_once('.').unwrap_or(("", class));
    let is_debezium = package.starts_with("io.debezium.");
    match simple {
        "MySqlConnector" | "MariaDbConnector" | "PostgresConnector" if is_debezium || package.is_empty() => Owner::Ours,
        // Connect finds a class by its name without the package and without `Connector`.
        "MySql" | "MariaDb" | "Postgres" if package.is_empty() => Owner::Ours,
        _ if simple.ends_with("SinkConnector") => Owner::Other,
        _ if is_debezium => Owner::Later,
        _ => Owner::Other,
    }
}

/// Says everything about one connector. Whether it can move.
pub(super) fn examine(
    connector: &Connector,
    file: &Planned,
    worker: &Worker,
    offsets: &Offsets,
    report: &mut Report,
) -> bool {
    let failed = report.failed();
    state(connector, report);
    let Some(config) = properties(&file.path, &file.content, worker, report) else { return false };
    version(connector, config.events.generation, report);
    let told = position(&config, offsets, report);
    if report.failed() == failed {
        servers(&config, worker, told, report);
    }
    report.failed() == failed
}

fn state(connector: &Connector, report: &mut Report) {
    const NAME: &str = "on Connect";
    let failed = connector.tasks.iter().any(|task| task == "FAILED");
    match (connector.state.as_str(), failed) {
        ("RUNNING", false) => report.good(NAME, "RUNNING"),
        ("STOPPED", _) => report.good(NAME, "STOPPED already"),
        (_, true) | ("FAILED", _) => report.warn(
            NAME,
            "FAILED: its position is where it failed",
            "the `trace` of its status says why; what Debezium failed at may stop Headwater too",
        ),
        ("PAUSED", _) => {
            report.warn(NAME, "PAUSED", "a paused task keeps its connection to the database: stop it as the steps say")
        }
        (other, _) => report.warn(NAME, &printable(other, 40), "wait until it is RUNNING, and ask again"),
    }
}

/// Records are those of one generation of Debezium. Whoever moves from another sees the difference.
fn version(connector: &Connector, generation: DebeziumGeneration, report: &mut Report) {
    const NAME: &str = "Debezium's version";
    let Some(version) = connector.version.as_deref() else { return };
    let numbers = |text: &str| -> Option<(u32, u32)> {
        let mut parts = text.split('.').map(|part| part.parse::<u32>().ok());
        Some((parts.next()??, parts.next()??))
    };
    let shown = printable(version, 40);
    let differs = format!("{shown}; Headwater will write records as {generation} does");
    let is_known =
        |theirs: (u32, u32)| DebeziumGeneration::ALL.iter().find(|known| numbers(known.as_str()) == Some(theirs));
    match (numbers(version), numbers(generation.as_str())) {
        (Some(theirs), Some(ours)) if theirs == ours => report.good(NAME, &shown),
        (Some(theirs), Some(ours)) if theirs < ours => report.warn(
            NAME,
            &differs,
            "moving is also an upgrade: Debezium's release notes say what changed for consumers in between",
        ),
        (Some(theirs), Some(_)) => match is_known(theirs) {
            Some(known) => {
                report.warn(NAME, &differs, &format!("set debezium.compat.version={known} in the connector's file"))
            }
            None => report.warn(NAME, &differs, "compare records before you switch: that generation is not known here"),
        },
        _ => report.warn(NAME, &format!("{shown}, which is no version"), "compare records before you switch"),
    }
}

/// Judges the properties by the very bytes that are written. The configuration, when it can be run.
fn properties(path: &Path, content: &[u8], worker: &Worker, report: &mut Report) -> Option<ConnectorConfig> {
    let file = match source_file::parse_connector(path, content) {
        Ok(file) => file,
        Err(error) => {
            report.bad("configuration", &format!("{}: {error}", error.code()), error.code().hint);
            return None;
        }
    };
    let judgement = judgement::judge(&file.name, &file.config, &worker.config);
    let mut quiet: BTreeMap<(Standing, &str), Vec<&str>> = BTreeMap::new();
    for verdict in &judgement.verdicts {
        match (verdict.refusal, verdict.standing) {
            (Some(_), _) | (None, Standing::Unknown | Standing::Differs | Standing::Planned | Standing::Refused) => {
                say(verdict, report);
            }
            (None, standing @ (Standing::Works | Standing::Meaningless)) => {
                quiet.entry((standing, &verdict.text)).or_default().push(&verdict.property);
            }
        }
    }
    for ((standing, text), names) in quiet {
        let names = names.join(", ");
        if standing == Standing::Works {
            report.good("works as in Debezium", &names);
        } else {
            report.good("accepted, without meaning here", &format!("{names}: {text}"));
        }
    }
    if worker.origin == Origin::Unknown {
        for property in ["key.converter", "value.converter"].iter().filter(|name| !file.config.contains_key(**name)) {
            report.warn(
                property,
                "is not the connector's own: the worker's decides the form of every record",
                &format!("take {property} and its options from the Connect worker into worker.properties"),
            );
        }
    }
    judgement.config
}

fn say(verdict: &Verdict, report: &mut Report) {
    match (verdict.refusal, verdict.standing) {
        (Some(code), Standing::Planned) => {
            report.bad(&verdict.property, &format!("{code}: a later version: {}", verdict.text), code.hint)
        }
        (Some(code), _) => report.bad(&verdict.property, &format!("{code}: {}", verdict.text), code.hint),
        (None, Standing::Planned) => {
            report.add(Outcome::Warning, &verdict.property, &format!("a later version: {}", verdict.text))
        }
        (None, _) => report.add(Outcome::Warning, &verdict.property, &verdict.text),
    }
}

/// What Connect's REST API says of the position.
#[derive(Debug, PartialEq)]
enum Told {
    /// It has no such call.
    Nothing,
    /// There is none.
    None,
    /// This one.
    At(StoredOffset),
}

fn position(config: &ConnectorConfig, offsets: &Offsets, report: &mut Report) -> Told {
    const NAME: &str = "position on Connect";
    let Offsets::Stored(stored) = offsets else {
        report.good(NAME, "this Connect does not tell (3.5 does): the topic of offsets has it");
        return Told::Nothing;
    };
    let prefix = &config.topics.prefix;
    let is_this = |partition: &Value| {
        partition.as_object().is_some_and(|fields| {
            fields.len() == 1 && fields.get("server").and_then(Value::as_str) == Some(prefix.as_str())
        })
    };
    let Some((_, offset)) = stored.iter().find(|(partition, _)| is_this(partition)) else {
        match stored.len() {
            0 => report.good(NAME, "none: it never stored one"),
            _ => report.warn(
                NAME,
                &format!("none for topic.prefix={prefix}; there are {} for other prefixes", stored.len()),
                "a connector whose prefix was changed begins anew, on Connect as well",
            ),
        }
        return Told::None;
    };
    match offset::from_json(offset.clone()) {
        Ok(Some(offset)) => {
            report.good(NAME, &Printed(&offset).to_string());
            Told::At(offset)
        }
        Ok(None) => {
            report.good(NAME, "none: it was reset");
            Told::None
        }
        Err(problem) => {
            report.bad(
                NAME,
                &format!("it is not one of this connector: {problem}"),
                "look at GET /connectors/NAME/offsets",
            );
            Told::None
        }
    }
}

/// Asks the database, the brokers and the stores, as `headwater check` does.
fn servers(config: &ConnectorConfig, worker: &Worker, told: Told, report: &mut Report) {
    let options = translate::binlog_options(config, Arc::new(binlog_layouts(config)));
    let (mut session, mut postgres_session) = (None, None);
    let tables = match &config.postgres {
        Some(options) => {
            postgres_session = postgres::check(config, options, report);
            postgres_session.as_mut().map(|session| std::mem::take(&mut session.tables)).unwrap_or_default()
        }
        None => {
            session = database::check(config, &options, report);
            session.as_mut().map(|session| std::mem::take(&mut session.tables)).unwrap_or_default()
        }
    };
    let found = match worker.origin {
        Origin::Unknown => match told {
            Told::At(offset) => Some(Some(offset)),
            Told::None => Some(None),
            Told::Nothing => {
                report.warn(
                    "stored offset",
                    "neither Connect nor the topic of offsets could be asked",
                    "run this again with --worker connect-distributed.properties",
                );
                None
            }
        },
        Origin::File(_) | Origin::Environment => match brokers::check(config, &tables, report) {
            true => stored::offset(config, &worker.config, report).filter(|found| agree(&told, found.as_ref(), report)),
            false => None,
        },
    };
    if let (Some(found), Some(session)) = (&found, &mut postgres_session) {
        postgres::check_slot(session, found.as_ref(), report);
    }
    if let Some(found) = found
        && config.postgres.is_none()
    {
        let connection = session.as_mut().map(|session| &mut session.connection);
        stored::check_offset(config, found, connection.map(|connection| (connection, &options)), report);
    }
    brokers::check_converters(config, report);
    if let Some(session) = session {
        session.connection.close();
    }
}

/// Whether Connect and the topic agree that there is a position. That they differ is as it should be while the connector
/// runs: it goes on between the two questions.
fn agree(told: &Told, found: Option<&StoredOffset>, report: &mut Report) -> bool {
    const NAME: &str = "stored offset";
    match (told, found) {
        (Told::At(_), None) => report.failure(NAME, &Failure::from(super::error::MigrateError::OtherOffsets)),
        (Told::None, Some(found)) => report.warn(
            NAME,
            &format!("Connect knows none, and the topic has {}", Printed(found)),
            "is it the topic of this Connect cluster? If it is, Headwater goes on from there",
        ),
        (Told::At(_), Some(_)) | (Told::None, None) | (Told::Nothing, _) => {}
    }
    !matches!((told, found), (Told::At(_), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_owners() {
        let check = |class: &str, expected: Owner| assert_eq!(owner(class), expected, "{class}");
        check("io.debezium.connector.mysql.MySqlConnector", Owner::Ours);
        check("io.debezium.connector.mysql.legacy.MySqlConnector", Owner::Ours);
        check("io.debezium.connector.mariadb.MariaDbConnector", Owner::Ours);
        check("MySql", Owner::Ours);
        check("MySqlConnector", Owner::Ours);
        check("com.example.MySqlConnector", Owner::Other);
        check("io.debezium.connector.postgresql.PostgresConnector", Owner::Ours);
        check("io.debezium.connector.sqlserver.SqlServerConnector", Owner::Later);
        check("io.debezium.connector.jdbc.JdbcSinkConnector", Owner::Other);
        check("org.apache.kafka.connect.file.FileStreamSourceConnector", Owner::Other);
        check("", Owner::Other);
    }

    fn version_check(version: &str, expected: &str) {
        let connector = Connector {
            name: "n".to_owned(),
            config: serde_json::Map::new(),
            state: "RUNNING".to_owned(),
            tasks: Vec::new(),
            version: Some(version.to_owned()),
        };
        let mut report = Report::default();
        super::version(&connector, DebeziumGeneration::V3_6, &mut report);
        assert!(report.lines.join("\n").contains(expected), "{version}: {:?}", report.lines);
    }

    #[test]
    fn versions_of_other_generations_are_said() {
        version_check("3.6.1.Final", "ok    Debezium's version: 3.6.1.Final");
        version_check("1.9.7.Final", "warn  Debezium's version: 1.9.7.Final; Headwater will write");
        version_check("3.7.0.Alpha2", "set debezium.compat.version=3.7");
        version_check("3.10.0.Final", "that generation is not known here");
        version_check("\u{1b}[31m", "warn  Debezium's version: \\u{1b}[31m, which is no version");
    }
}
