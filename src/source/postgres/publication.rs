//! The publication: found, made, or altered as `publication.autocreate.mode` says; and replica identities.

use super::catalog::{Catalog, text};
use super::connection::{Row, quote_identifier, quote_literal};
use super::error::PostgresError;
use super::options::PostgresOptions;
use crate::error::{Disposition, Failure};
use crate::model::modes::PublicationAutocreateMode;
use crate::model::table::TableId;

/// `"schema"."table"`.
fn quoted(id: &TableId) -> String {
    let schema = id.schema.as_deref().unwrap_or("public");
    format!("{}.{}", quote_identifier(schema), quote_identifier(&id.table))
}

/// What a new publication is made with.
fn with_clause(options: &PostgresOptions) -> String {
    let mut parts = Vec::new();
    if options.publication.via_partition_root {
        parts.push("publish_via_partition_root = true".to_owned());
    }
    if let Some(publish) = &options.publication.publish {
        parts.push(format!("publish = {}", quote_literal(publish)));
    }
    if parts.is_empty() { String::new() } else { format!(" WITH ({})", parts.join(", ")) }
}

/// Makes sure that there is a publication for what is captured.
///
/// # Errors
/// When it is not there and may not be made, or cannot be.
pub fn prepare(catalog: &mut Catalog, options: &PostgresOptions) -> Result<(), Failure> {
    let publication = &options.publication;
    let (name, literal) = (quote_identifier(&publication.name), quote_literal(&publication.name));
    let found =
        catalog.value(&format!("SELECT puballtables FROM pg_catalog.pg_publication WHERE pubname = {literal}"))?;
    // A standby has its primary's publications, and cannot make any.
    let read_only = catalog.value("SELECT pg_catalog.pg_is_in_recovery()")?.as_deref() == Some("t");
    match (found.as_deref(), publication.autocreate) {
        (None, PublicationAutocreateMode::Disabled) => {
            Err(PostgresError::NoPublication(publication.name.clone()).into())
        }
        (None, _) if read_only => Err(PostgresError::NoPublication(publication.name.clone()).into()),
        (None, PublicationAutocreateMode::AllTables) => {
            make(catalog, &format!("CREATE PUBLICATION {name} FOR ALL TABLES{}", with_clause(options)))
        }
        (None, PublicationAutocreateMode::NoTables) => {
            make(catalog, &format!("CREATE PUBLICATION {name}{}", with_clause(options)))
        }
        (None, PublicationAutocreateMode::Filtered) => {
            let tables = captured(catalog, options)?;
            if tables.is_empty() {
                return Err(PostgresError::NothingToPublish(publication.name.clone()).into());
            }
            let tables = list(&tables);
            make(catalog, &format!("CREATE PUBLICATION {name} FOR TABLE {tables}{}", with_clause(options)))
        }
        (Some("t"), PublicationAutocreateMode::Filtered) => {
            Err(PostgresError::PublicationForAll(publication.name.clone()).into())
        }
        (Some(_), PublicationAutocreateMode::Filtered) if !read_only => update(catalog, options, &name, &literal),
        (
            Some(_),
            PublicationAutocreateMode::Disabled
            | PublicationAutocreateMode::AllTables
            | PublicationAutocreateMode::Filtered
            | PublicationAutocreateMode::NoTables,
        ) => Ok(()),
    }
}

fn make(catalog: &mut Catalog, statement: &str) -> Result<(), Failure> {
    tracing::info!(statement, "publication");
    catalog.query(statement).map(drop)
}

fn list(tables: &[TableId]) -> String {
    tables.iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// The captured tables that there are now. A partitioned table stands for its partitions.
fn captured(catalog: &mut Catalog, options: &PostgresOptions) -> Result<Vec<TableId>, Failure> {
    let tables = catalog.tables(&options.connect.database)?;
    Ok(tables.into_iter().map(|(id, _)| id).filter(|id| (options.captured)(id)).collect())
}

/// Gives a filtered publication the captured tables, where it has others.
fn update(catalog: &mut Catalog, options: &PostgresOptions, name: &str, literal: &str) -> Result<(), Failure> {
    let wanted = captured(catalog, options)?;
    if wanted.is_empty() {
        tracing::warn!(
            publication = options.publication.name,
            "no table passes the filters; the publication stays as it is"
        );
        return Ok(());
    }
    let mut names: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    names.sort();
    // As it was made (a partitioned table is one), or as it comes out (whole schemas are their tables).
    let made = published(
        catalog,
        &format!(
            "SELECT n.nspname, c.relname FROM pg_catalog.pg_publication_rel r \
             JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid JOIN pg_catalog.pg_class c ON c.oid = r.prrelid \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = {literal}"
        ),
    )?;
    if made != names {
        let tables =
            format!("SELECT schemaname, tablename FROM pg_catalog.pg_publication_tables WHERE pubname = {literal}");
        if published(catalog, &tables)? != names {
            make(catalog, &format!("ALTER PUBLICATION {name} SET TABLE {}", list(&wanted)))?;
        }
    }
    let Some(publish) = &options.publication.publish else { return Ok(()) };
    let operations = catalog.value(&format!(
        "SELECT pg_catalog.concat_ws(',', CASE WHEN pubinsert THEN 'insert' END, CASE WHEN pubupdate THEN 'update' END, \
         CASE WHEN pubdelete THEN 'delete' END, CASE WHEN pubtruncate THEN 'truncate' END) \
         FROM pg_catalog.pg_publication WHERE pubname = {literal}"
    ))?;
    if operations.as_ref() == Some(publish) {
        return Ok(());
    }
    make(catalog, &format!("ALTER PUBLICATION {name} SET (publish = {})", quote_literal(publish)))
}

/// The tables that a query names, as `schema.table`, in order.
fn published(catalog: &mut Catalog, sql: &str) -> Result<Vec<String>, Failure> {
    let answer = catalog.query(sql)?;
    let name = |row: &Row| Some(format!("{}.{}", text(row, 0)?, text(row, 1)?));
    let mut names: Vec<String> = answer.rows.iter().filter_map(name).collect();
    names.sort();
    Ok(names)
}

/// Gives captured tables the replica identity that `replica.identity.autoset.values` says.
///
/// # Errors
/// When the catalog cannot be asked, or a table cannot be altered.
pub fn set_identities(catalog: &mut Catalog, options: &PostgresOptions) -> Result<(), Failure> {
    let Some(rule) = &options.identities else { return Ok(()) };
    for (id, identity) in catalog.tables(&options.connect.database)? {
        let Some(clause) = (options.captured)(&id).then(|| rule(&id)).flatten() else { continue };
        if identity == clause {
            continue;
        }
        let statement = format!("ALTER TABLE {} REPLICA IDENTITY {clause}", quoted(&id));
        tracing::info!(statement, "replica identity");
        match catalog.query(&statement) {
            Ok(_) => {}
            Err(failure) if failure.code.disposition == Disposition::Retry => return Err(failure),
            // Debezium goes on too: rows come, with less of what they were before.
            Err(failure) => tracing::error!(table = %id, reason = %failure, "the replica identity stays {identity}"),
        }
    }
    Ok(())
}
