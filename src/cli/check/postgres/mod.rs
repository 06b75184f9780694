//! What a PostgreSQL server says: reachable, with logical replication and room for one more reader, an account that may,
//! and a publication and a slot that fit what is captured.
//!
//! A line for each thing, with the statement that mends it, ready to be pasted. What is asked is answered by any user but
//! for a few columns; nothing is created. The walsender that is opened for a moment is the one proof of the right to
//! replicate that holds on every managed service.

mod access;
mod publication;
mod server;
mod slot;

use super::Report;
use crate::config::connector::{ConnectorConfig, PostgresOptions};
use crate::error::{Coded, Failure};
use crate::model::position::StoredOffset;
use crate::model::table::TableId;
use crate::pipeline::translate;
use crate::source::postgres::catalog::Catalog;
use crate::source::postgres::connection::{ConnectOptions, quote_identifier};
use crate::source::postgres::error::PostgresError;
use crate::util::stop::Stop;

/// What was reached, and what every check needs to know of it.
pub(in crate::cli) struct Session<'c> {
    config: &'c ConnectorConfig,
    options: &'c PostgresOptions,
    connect: ConnectOptions,
    catalog: Catalog,
    /// `server_version_num`.
    version: u32,
    standby: bool,
    /// The role that privileges are asked of.
    user: String,
    superuser: bool,
    /// The role that a managed service gives to those who may administer, where it is one.
    service: Option<Service>,
    /// The captured tables that there are now.
    pub(in crate::cli) tables: Vec<TableId>,
}

/// Managed services, by a role that only they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Amazon,
    Google,
    Azure,
}

impl Service {
    const ROLES: &[(&str, Service)] = &[
        ("rds_superuser", Service::Amazon),
        ("cloudsqlsuperuser", Service::Google),
        ("alloydbsuperuser", Service::Google),
        ("azure_pg_admin", Service::Azure),
    ];

    /// How the account is allowed to replicate.
    fn replication(service: Option<Service>, user: &str) -> String {
        let user = quote_identifier(user);
        match service {
            None => format!("as a superuser: ALTER ROLE {user} REPLICATION;"),
            Some(Service::Amazon) => format!("as a member of rds_superuser: GRANT rds_replication TO {user};"),
            Some(Service::Google) => format!("as a member of cloudsqlsuperuser: ALTER USER {user} WITH REPLICATION;"),
            Some(Service::Azure) => format!("as a member of azure_pg_admin: ALTER ROLE {user} WITH REPLICATION;"),
        }
    }

    /// How a setting is changed, and what makes it count.
    fn setting(service: Option<Service>, assignment: &str, restart: bool) -> String {
        let (name, _) = assignment.split_once(' ').unwrap_or((assignment, ""));
        match (service, restart) {
            (None, true) => format!("ALTER SYSTEM SET {assignment}; and restart the server"),
            (None, false) => format!("ALTER SYSTEM SET {assignment}; SELECT pg_reload_conf();"),
            (Some(Service::Amazon), _) => format!("set {name} in the instance's parameter group ({assignment})"),
            (Some(Service::Google), _) => format!("set the database flag {name} ({assignment})"),
            (Some(Service::Azure), _) => format!("set the server parameter {name} ({assignment})"),
        }
    }
}

/// Asks the database everything but for the slot. `None` when it cannot be asked.
pub(in crate::cli) fn check<'c>(
    config: &'c ConnectorConfig,
    options: &'c PostgresOptions,
    report: &mut Report,
) -> Option<Session<'c>> {
    let mut session = match connect(config, options) {
        Ok(session) => session,
        Err(failure) => {
            report.failure("database", &failure);
            return None;
        }
    };
    product(&session, report);
    let checks: [(&str, Check); 5] = [
        ("server", server::check),
        ("privileges", access::check),
        ("tables", tables),
        ("publication", publication::check),
        ("replica identity", publication::identities),
    ];
    for (name, check) in checks {
        if let Err(failure) = check(&mut session, report) {
            report.failure(name, &failure);
        }
    }
    // A connection that broke on the way answered nothing after that: the lines above are then no verdict.
    if let Err(failure) = session.catalog.query_once("SELECT 1") {
        report.failure("database", &failure);
        return None;
    }
    Some(session)
}

type Check = fn(&mut Session<'_>, &mut Report) -> Result<(), Failure>;

/// Looks at the slot, from which the stored offset must be reachable.
pub(in crate::cli) fn check_slot(session: &mut Session<'_>, stored: Option<&StoredOffset>, report: &mut Report) {
    if let Err(failure) = slot::check(session, stored, report) {
        report.failure("slot", &failure);
    }
}

fn connect<'c>(config: &'c ConnectorConfig, options: &'c PostgresOptions) -> Result<Session<'c>, Failure> {
    let connect = translate::postgres_connect_options(config, options);
    let mut catalog = Catalog::new(connect.clone(), config.database.initial_statements.clone(), Stop::new());
    let services: Vec<String> = Service::ROLES.iter().map(|(role, _)| format!("'{role}'")).collect();
    let answer = catalog.query(&format!(
        "SELECT pg_catalog.current_setting('server_version_num') AS version, pg_catalog.pg_is_in_recovery() AS standby, \
         current_user AS user_name, (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS superuser, \
         (SELECT min(rolname) FROM pg_catalog.pg_roles WHERE rolname IN ({})) AS service",
        services.join(", ")
    ))?;
    let field = |name: &str| answer.first(name).unwrap_or_default();
    let service = Service::ROLES.iter().find(|(role, _)| *role == field("service")).map(|(_, service)| *service);
    Ok(Session {
        config,
        options,
        connect,
        version: field("version").parse().map_err(|_| PostgresError::Catalog("the server's version"))?,
        standby: field("standby") == "t",
        user: field("user_name"),
        superuser: field("superuser") == "t",
        service,
        tables: Vec::new(),
        catalog,
    })
}

fn product(session: &Session<'_>, report: &mut Report) {
    let database = &session.config.database;
    let role = if session.standby { ", a standby" } else { "" };
    let (major, minor) = (session.version / 10_000, session.version % 10_000);
    let place =
        format!("{}:{} as {}, database {}", database.host, database.port, session.user, session.options.database);
    let text = format!("PostgreSQL {major}.{minor}{role} at {place}");
    match major {
        14..=18 => report.good("database", &text),
        _ => report.warn("database", &text, "not a version this is tested with: PostgreSQL 14 to 18"),
    }
}

fn tables(session: &mut Session<'_>, report: &mut Report) -> Result<(), Failure> {
    let captured = translate::postgres_captured(session.config, session.options);
    let tables = session.catalog.tables(&session.options.database)?;
    session.tables = tables.into_iter().map(|(id, _)| id).filter(|id| captured(id)).collect();
    if session.tables.is_empty() {
        let error = PostgresError::NothingToPublish(session.options.publication.name.clone());
        report.warn("tables", "none passes the filters", error.code().hint);
    } else {
        report.good("tables", &format!("{} captured: {}", session.tables.len(), super::listed(&session.tables)));
    }
    Ok(())
}

/// `"schema"."table"`.
fn quoted(id: &TableId) -> String {
    let schema = id.schema.as_deref().unwrap_or("public");
    format!("{}.{}", quote_identifier(schema), quote_identifier(&id.table))
}

/// Tables for a statement that is to be pasted: all of them, unless there are very many.
fn pasted<'t>(tables: impl ExactSizeIterator<Item = &'t TableId>) -> String {
    const SHOWN: usize = 20;
    let more = tables.len().saturating_sub(SHOWN);
    let text = tables.take(SHOWN).map(quoted).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{text}, … ({more} more)") } else { text }
}
