//! The publication: found, made, or altered as `publication.autocreate.mode` says; and replica identities.

use super::catalog::Catalog;
use super::connection::{quote_identifier, quote_literal};
use super::error::PostgresError;
use super::options::PostgresOptions;
use crate::error::Failure;
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
            let tables = list(&captured(catalog, options)?);
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
    let captured: Vec<TableId> = tables.into_iter().map(|(id, _)| id).filter(|id| (options.captured)(id)).collect();
    if captured.is_empty() {
        return Err(PostgresError::NothingToPublish(options.publication.name.clone()).into());
    }
    Ok(captured)
}

/// Gives a filtered publication the captured tables, where it has others.
fn update(catalog: &mut Catalog, options: &PostgresOptions, name: &str, literal: &str) -> Result<(), Failure> {
    let wanted = captured(catalog, options)?;
    let answer = catalog.query(&format!(
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_publication_rel r \
         JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid JOIN pg_catalog.pg_class c ON c.oid = r.prrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = {literal}"
    ))?;
    let text = |row: &super::connection::Row, index: usize| {
        row.get(index).and_then(|value| value.as_deref()).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    let mut published: Vec<String> =
        answer.rows.iter().filter_map(|row| Some(format!("{}.{}", text(row, 0)?, text(row, 1)?))).collect();
    let mut names: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    published.sort();
    names.sort();
    if published != names {
        make(catalog, &format!("ALTER PUBLICATION {name} SET TABLE {}", list(&wanted)))?;
    }
    match &options.publication.publish {
        Some(publish) => make(catalog, &format!("ALTER PUBLICATION {name} SET (publish = {})", quote_literal(publish))),
        None => Ok(()),
    }
}

/// Gives captured tables the replica identity that `replica.identity.autoset.values` says.
///
/// # Errors
/// When the catalog cannot be asked, or a table cannot be altered.
pub fn set_identities(catalog: &mut Catalog, options: &PostgresOptions) -> Result<(), Failure> {
    let Some(rule) = &options.identities else { return Ok(()) };
    for (id, identity) in catalog.tables(&options.connect.database)? {
        let Some(clause) = (options.captured)(&id).then(|| rule(&id)).flatten() else { continue };
        let same = matches!((identity.as_str(), clause.as_str()), ("d", "DEFAULT") | ("f", "FULL") | ("n", "NOTHING"));
        if !same {
            let statement = format!("ALTER TABLE {} REPLICA IDENTITY {clause}", quoted(&id));
            tracing::info!(statement, "replica identity");
            catalog.query(&statement)?;
        }
    }
    Ok(())
}
