//! What a PostgreSQL server says: reachable, with logical replication, and room for one more reader.

use super::Report;
use crate::config::connector::{ConnectorConfig, PostgresOptions};
use crate::error::{Coded, Failure};
use crate::model::table::TableId;
use crate::pipeline::translate;
use crate::source::postgres::catalog::Catalog;
use crate::source::postgres::error::PostgresError;
use crate::util::stop::Stop;

/// Asks the database everything. Gives the captured tables that there are now; `None` when it cannot be asked.
pub(in crate::cli) fn check(
    config: &ConnectorConfig,
    options: &PostgresOptions,
    report: &mut Report,
) -> Option<Vec<TableId>> {
    let connect = translate::postgres_connect_options(config, options);
    let mut catalog = Catalog::new(connect, config.database.initial_statements.clone(), Stop::new());
    let version = match catalog.value("SHOW server_version") {
        Ok(version) => version.unwrap_or_default(),
        Err(failure) => {
            report.failure("database", &failure);
            return None;
        }
    };
    let database = &config.database;
    let place = format!("{}:{} as {}, database {}", database.host, database.port, database.user, options.database);
    report.good("database", &format!("PostgreSQL {version} at {place}"));
    wal_level(&mut catalog, report);
    tables(&mut catalog, config, options, report)
}

fn wal_level(catalog: &mut Catalog, report: &mut Report) {
    match catalog.value("SHOW wal_level") {
        Ok(Some(level)) if level == "logical" => report.good("wal_level", "logical"),
        Ok(level) => {
            let actual = level.unwrap_or_default();
            let error = PostgresError::Setting { setting: "wal_level", actual, required: "logical" };
            report.bad("wal_level", &error.to_string(), error.code().hint);
        }
        Err(failure) => report.failure("wal_level", &failure),
    }
}

fn tables(
    catalog: &mut Catalog,
    config: &ConnectorConfig,
    options: &PostgresOptions,
    report: &mut Report,
) -> Option<Vec<TableId>> {
    let captured = translate::postgres_captured(config, options);
    let tables = match catalog.tables(&options.database) {
        Ok(tables) => tables,
        Err(failure) => {
            report.failure("tables", &failure);
            return None;
        }
    };
    let tables: Vec<TableId> = tables.into_iter().map(|(id, _)| id).filter(|id| captured(id)).collect();
    if tables.is_empty() {
        let failure = Failure::from(PostgresError::NothingToPublish(options.publication.name.clone()));
        report.warn("tables", "none passes the filters", failure.code.hint);
    } else {
        report.good("tables", &format!("{} captured: {}", tables.len(), super::listed(&tables)));
    }
    Some(tables)
}
