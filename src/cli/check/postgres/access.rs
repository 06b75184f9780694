//! Whether the account may replicate and read.

use std::sync::Arc;

use super::{Report, Service, Session};
use crate::error::{Coded, Failure};
use crate::model::modes::SnapshotMode;
use crate::model::table::TableId;
use crate::source::postgres::connection::{Connection, Purpose, quote_identifier};

pub(super) fn check(session: &mut Session<'_>, report: &mut Report) -> Result<(), Failure> {
    replication(session, report);
    select(session, report)
}

/// Opens a walsender, as the stream will: what a managed service's role is worth, and whether `pg_hba.conf` lets it in.
fn replication(session: &Session<'_>, report: &mut Report) {
    let name = "replication";
    let opened = Connection::connect(&session.connect, Purpose::Replication, &Arc::default())
        .and_then(|mut connection| connection.query("IDENTIFY_SYSTEM").map(|_| connection.close()));
    let Err(error) = opened else {
        report.good(name, &format!("{} may replicate", session.user));
        return;
    };
    let mend = match error.sql_state() {
        Some("42501") => Service::replication(session.service, &session.user),
        Some("53300") => "a walsender is needed: raise max_wal_senders, or the account's CONNECTION LIMIT".to_owned(),
        // pg_hba.conf lets the account in for SQL: a line for this database covers logical replication too.
        Some(_) | None => error.code().hint.to_owned(),
    };
    report.bad(name, &error.to_string(), &mend);
}

/// Whether a start reads rows. The stream needs no right to.
fn reads_rows(mode: SnapshotMode) -> bool {
    !matches!(mode, SnapshotMode::NoData | SnapshotMode::Recovery | SnapshotMode::Never)
}

fn select(session: &mut Session<'_>, report: &mut Report) -> Result<(), Failure> {
    let captured = crate::pipeline::translate::postgres_captured(session.config, session.options);
    let answer = session.catalog.query(
        "SELECT n.nspname AS schema, c.relname AS name, pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS usage \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' \
         AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast' \
         AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')) \
         ORDER BY 1, 2",
    )?;
    let (mut refused, mut schemas) = (Vec::new(), std::collections::BTreeSet::new());
    for row in &answer.rows {
        let (Some(schema), Some(table)) = (answer.text(row, "schema"), answer.text(row, "name")) else { continue };
        let id = TableId {
            catalog: session.options.database.as_str().into(),
            schema: Some(schema.as_str().into()),
            table: table.into(),
        };
        if captured(&id) {
            refused.push(id);
            schemas.insert(schema);
        }
    }
    if refused.is_empty() {
        report.good("SELECT", "on all captured tables");
        return Ok(());
    }
    let user = quote_identifier(&session.user);
    let usage: Vec<String> = schemas.iter().map(|schema| quote_identifier(schema)).collect();
    let mend = format!(
        "GRANT USAGE ON SCHEMA {} TO {user}; GRANT SELECT ON {} TO {user};",
        usage.join(", "),
        super::pasted(refused.iter())
    );
    let text = format!("not on {} of the captured tables: {}", refused.len(), super::super::listed(&refused));
    if reads_rows(session.config.snapshot_mode) {
        report.bad("SELECT", &text, &mend);
    } else {
        report.warn("SELECT", &format!("{text}; the stream does not need it, reading their rows does"), &mend);
    }
    Ok(())
}

/// Those of the captured tables whose owner the account is not, nor of its role: only owners publish and alter.
pub(super) fn not_owned(session: &mut Session<'_>) -> Result<Vec<TableId>, Failure> {
    if session.superuser {
        return Ok(Vec::new());
    }
    let answer = session.catalog.query(
        "SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p') AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')",
    )?;
    let others: std::collections::BTreeSet<String> = answer
        .rows
        .iter()
        .filter_map(|row| Some(format!("{}.{}", answer.text(row, "schema")?, answer.text(row, "name")?)))
        .collect();
    Ok(session.tables.iter().filter(|id| others.contains(&id.to_string())).cloned().collect())
}

/// The statement that publishes tables, for their owner.
pub(super) fn create_publication(session: &Session<'_>, what: &str) -> String {
    let name = quote_identifier(&session.options.publication.name);
    let root =
        if session.options.publication.via_partition_root { " WITH (publish_via_partition_root = true)" } else { "" };
    format!("CREATE PUBLICATION {name}{what}{root};")
}

/// `FOR TABLE a, b`; nothing for no table.
pub(super) fn for_tables(session: &Session<'_>) -> String {
    match session.tables.is_empty() {
        true => String::new(),
        false => format!(" FOR TABLE {}", super::pasted(session.tables.iter())),
    }
}
