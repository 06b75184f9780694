//! Tables by the number that the stream gives them.
//!
//! In: what the stream says of a table before its rows, and what the catalog adds. Out: how its rows are read. Promised:
//! names and types of columns are always the stream's, which tells them anew whenever they change; the key is the
//! stream's too wherever it says it, so that a table altered since has the key that its old rows had.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::catalog::{Catalog, CatalogTable};
use super::codec::{PgColumn, describe};
use super::error::PostgresError;
use super::options::PostgresOptions;
use super::pgoutput::{Relation, ReplicaIdentity};
use crate::error::Failure;
use crate::model::row::TableLayout;
use crate::model::table::{Column, Table, TableId};

/// Relations kept at once; beyond it all are forgotten, and the next change of one asks for a new connection.
const RELATIONS_MAXIMUM: usize = 64 * 1024;

/// How the rows of a captured table are read.
#[derive(Clone)]
pub struct Captured {
    /// Its layout.
    pub layout: Arc<TableLayout>,
    /// Its name, for counting.
    pub name: Arc<str>,
}

/// What is known of the tables of a stream.
#[derive(Default)]
pub struct Relations {
    by_id: HashMap<u32, Option<Captured>>,
}

impl Relations {
    /// A table: `None` for one that is not captured.
    ///
    /// # Errors
    /// When the stream has not described it.
    #[inline]
    pub fn get(&self, id: u32) -> Result<Option<&Captured>, PostgresError> {
        self.by_id.get(&id).map(Option::as_ref).ok_or(PostgresError::UnknownRelation(id))
    }

    /// Forgets everything: a new stream describes its tables again.
    pub fn clear(&mut self) {
        self.by_id.clear();
    }

    /// The tables that are captured, for metrics.
    pub fn captured(&self) -> Vec<String> {
        let mut names: Vec<String> = self.by_id.values().flatten().map(|captured| captured.name.to_string()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The stream describes a table.
    ///
    /// # Errors
    /// When the catalog cannot be asked, or the table cannot be laid out.
    pub fn describe(
        &mut self,
        relation: &Relation<'_>,
        options: &PostgresOptions,
        catalog: &mut Catalog,
    ) -> Result<(), Failure> {
        if self.by_id.len() >= RELATIONS_MAXIMUM {
            self.by_id.clear();
        }
        let id = TableId {
            catalog: options.connect.database.as_str().into(),
            schema: Some(relation.schema.into()),
            table: relation.name.into(),
        };
        if !(options.captured)(&id) {
            self.by_id.insert(relation.id, None);
            return Ok(());
        }
        names_differ(&id, relation)?;
        if relation.columns.iter().any(|column| catalog.types.get(column.type_oid).is_none()) {
            catalog.refresh_types()?;
        }
        let now = catalog.table(relation.id)?;
        let table = table(id, relation, &now, catalog);
        let columns: Vec<PgColumn> = relation
            .columns
            .iter()
            .map(|column| PgColumn { type_oid: column.type_oid, type_modifier: column.type_modifier })
            .collect();
        let layout = options.layouts.layout(&table, &columns, &catalog.types)?;
        let name: Arc<str> = table.id.to_string().into();
        self.by_id.insert(relation.id, Some(Captured { layout: Arc::new(layout), name }));
        Ok(())
    }
}

/// Debezium, and every reader that looks columns up by name without regard to case, takes such columns for one.
fn names_differ(id: &TableId, relation: &Relation<'_>) -> Result<(), PostgresError> {
    let mut seen = HashSet::new();
    match relation.columns.iter().find(|column| !seen.insert(column.name.to_lowercase())) {
        Some(column) => Err(PostgresError::NamesAlike { table: id.to_string(), column: column.name.to_owned() }),
        None => Ok(()),
    }
}

fn table(id: TableId, relation: &Relation<'_>, now: &CatalogTable, catalog: &Catalog) -> Table {
    let primary_key = key(relation, now);
    let columns = relation.columns.iter().zip(1..).map(|(column, position)| {
        let pg = PgColumn { type_oid: column.type_oid, type_modifier: column.type_modifier };
        let known = now.columns.iter().find(|known| known.name == column.name);
        let in_key = relation.replica_identity == ReplicaIdentity::Default && column.is_key;
        let default = known.and_then(|known| known.default.clone());
        Column {
            name: column.name.to_owned(),
            position,
            // A column that is gone may have been null; one of a primary key never was.
            optional: known.is_none_or(|known| known.optional) && !in_key,
            auto_incremented: known.is_some_and(|known| known.auto_incremented),
            generated: known.is_some_and(|known| known.generated),
            comment: known.and_then(|known| known.comment.clone()),
            has_default_value: default.is_some(),
            default_value_expression: default,
            ..describe(&catalog.types, pg)
        }
    });
    Table { columns: columns.collect(), id, primary_key, default_charset_name: None, comment: now.comment.clone() }
}

/// The key's columns. With `REPLICA IDENTITY DEFAULT` the stream says which they were, and the catalog only their order.
fn key(relation: &Relation<'_>, now: &CatalogTable) -> Vec<String> {
    let has = |name: &String| relation.columns.iter().any(|column| column.name == name);
    let primary: Vec<String> = now.primary_key.iter().filter(|name| has(name)).cloned().collect();
    let unique = || now.unique_index.iter().filter(|name| has(name)).cloned().collect();
    if relation.replica_identity != ReplicaIdentity::Default {
        return if primary.is_empty() { unique() } else { primary };
    }
    let then: Vec<String> =
        relation.columns.iter().filter(|column| column.is_key).map(|column| column.name.to_owned()).collect();
    if then.is_empty() {
        return unique();
    }
    let same = then.len() == primary.len() && then.iter().all(|name| primary.contains(name));
    if same { primary } else { then }
}
