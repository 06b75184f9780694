//! Tables by the number that the stream gives them.
//!
//! In: what the stream says of a table before its rows, and what the catalog adds. Out: how its rows are read. Promised:
//! names and types of columns are always the stream's, which tells them anew whenever they change; the key is the
//! stream's too wherever it says it, so that a table altered since has the key that its old rows had; a layout lives as
//! long as what it was made of stays the same.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::catalog::{Catalog, CatalogTable};
use super::codec::{PgColumn, TypeKind, Types, describe};
use super::error::PostgresError;
use super::options::PostgresOptions;
use super::pgoutput::{Message, Relation, ReplicaIdentity};
use crate::error::Failure;
use crate::model::modes::DebeziumGeneration;
use crate::model::row::{Cell, TableLayout};
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
    /// The labels of its enumerations, by the place of their column. The stream does not tell of new ones: since 3.7 Debezium
    /// reads the types again for a label that it does not know. Nothing where an older one is followed.
    pub labels: Arc<[Labels]>,
}

/// The labels that a column's enumeration has, by the column's place.
type Labels = (usize, HashSet<Box<[u8]>>);

/// Labels that are not known, by the place of their column.
pub type NewLabels = Vec<(usize, Box<[u8]>)>;

impl Captured {
    fn new(
        table: &Table,
        columns: &[PgColumn],
        options: &PostgresOptions,
        types: &Types,
        more: NewLabels,
    ) -> Result<Captured, Failure> {
        let labels_of = |(place, column): (usize, &PgColumn)| match &types.get(column.type_oid)?.kind {
            TypeKind::Enum { labels } => {
                Some((place, labels.iter().map(|label| label.as_bytes().into()).collect::<HashSet<_>>()))
            }
            TypeKind::Base
            | TypeKind::Composite
            | TypeKind::Domain { .. }
            | TypeKind::Pseudo
            | TypeKind::Range
            | TypeKind::Multirange => None,
        };
        let mut labels: Vec<Labels> = match options.layouts.codecs.generation {
            DebeziumGeneration::V3_6 => Vec::new(),
            DebeziumGeneration::V3_7 => columns.iter().enumerate().filter_map(labels_of).collect(),
        };
        for (column, label) in more {
            // One that was renamed since is not asked for again.
            for (_, labels) in labels.iter_mut().filter(|(place, _)| *place == column) {
                labels.insert(label.clone());
            }
        }
        let layout = options.layouts.layout(table, columns, types)?;
        Ok(Captured { layout: Arc::new(layout), name: table.id.to_string().into(), labels: labels.into() })
    }

    /// The labels of a row's cells that are not known.
    pub fn new_labels(&self, cells: &[Cell], bytes: &[u8]) -> NewLabels {
        let unknown = |(place, labels): &Labels| {
            let label = cells.get(*place)?.bytes(bytes)?;
            (!labels.contains(label)).then(|| (*place, label.into()))
        };
        self.labels.iter().filter_map(unknown).collect()
    }
}

/// What is known of a table.
enum Known {
    /// It is not captured.
    PassedOver,
    /// How its rows are read.
    Captured(Captured),
    /// The stream's words, in a part of a transaction that was rolled back: read when a row needs them.
    Told(Box<[u8]>),
}

/// A table, and the number of its description among all that came.
struct Entry {
    known: Known,
    heard: u64,
}

/// What a layout was made of.
struct Made {
    table: Table,
    columns: Vec<PgColumn>,
    captured: Captured,
}

/// What is known of the tables of a stream.
#[derive(Default)]
pub struct Relations {
    by_id: HashMap<u32, Entry>,
    /// What a streamed transaction was told for itself, while it is handed over: it was told before others were that are
    /// read by now, and may have altered tables that the others do not see.
    streamed: Option<HashMap<u32, Entry>>,
    /// The last layout of each table: a table is described anew whenever anything about it may have changed.
    made: HashMap<u32, Made>,
    heard: u64,
}

impl Relations {
    /// A table: `None` for one that is not captured.
    ///
    /// # Errors
    /// When the stream has not described it; else as [`Relations::describe`].
    #[inline]
    pub fn get(
        &mut self,
        id: u32,
        options: &PostgresOptions,
        catalog: &mut Catalog,
    ) -> Result<Option<Captured>, Failure> {
        let entry = self.streamed.as_ref().unwrap_or(&self.by_id).get(&id);
        let (told, heard) = match entry.ok_or(PostgresError::UnknownRelation(id))? {
            Entry { known: Known::PassedOver, .. } => return Ok(None),
            Entry { known: Known::Captured(captured), .. } => return Ok(Some(captured.clone())),
            Entry { known: Known::Told(told), heard } => (told.clone(), *heard),
        };
        let Message::Relation(relation) = Message::parse(&told, true)? else {
            return Err(PostgresError::UnknownRelation(id).into());
        };
        let captured = self.captured_as(&relation, options, catalog)?;
        self.enter(id, Entry { known: captured.clone().map_or(Known::PassedOver, Known::Captured), heard });
        Ok(captured)
    }

    /// Forgets everything: a new stream describes its tables again.
    pub fn clear(&mut self) {
        self.by_id.clear();
        self.streamed = None;
    }

    /// The tables that are captured, for metrics.
    pub fn captured(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for entry in self.by_id.values() {
            if let Known::Captured(captured) = &entry.known {
                names.push(captured.name.to_string());
            }
        }
        names.sort();
        names.dedup();
        names
    }

    /// A description came; gives its number.
    pub fn hear(&mut self) -> u64 {
        self.heard += 1;
        self.heard
    }

    /// The number of the last description that came.
    pub fn heard_mut(&mut self) -> &mut u64 {
        &mut self.heard
    }

    /// A streamed transaction is handed over: it knows what it is told, and nothing else.
    pub fn begin_streamed(&mut self) {
        self.streamed = Some(HashMap::new());
    }

    /// It is handed over. The server takes for granted that what it was told is known to all from now on; but what came
    /// later is newer.
    pub fn end_streamed(&mut self) {
        for (id, entry) in self.streamed.take().into_iter().flatten() {
            if self.by_id.get(&id).is_none_or(|known| known.heard < entry.heard) {
                self.enter(id, entry);
            }
        }
    }

    /// The stream describes a table, in a part of a transaction that was rolled back.
    pub fn tell(&mut self, id: u32, body: &[u8], heard: u64) {
        self.enter(id, Entry { known: Known::Told(body.into()), heard });
    }

    /// The stream describes a table.
    ///
    /// # Errors
    /// When the catalog cannot be asked, or the table cannot be laid out.
    pub fn describe(
        &mut self,
        relation: &Relation<'_>,
        heard: u64,
        options: &PostgresOptions,
        catalog: &mut Catalog,
    ) -> Result<(), Failure> {
        let captured = self.captured_as(relation, options, catalog)?;
        self.enter(relation.id, Entry { known: captured.map_or(Known::PassedOver, Known::Captured), heard });
        Ok(())
    }

    /// A row of a table has labels that are not known: the types are read again.
    ///
    /// # Errors
    /// As [`Relations::describe`].
    pub fn learn(
        &mut self,
        id: u32,
        captured: Captured,
        labels: NewLabels,
        options: &PostgresOptions,
        catalog: &mut Catalog,
    ) -> Result<Captured, Failure> {
        let made = self.made.get_mut(&id).filter(|made| Arc::ptr_eq(&made.captured.layout, &captured.layout));
        // What a streamed transaction was told for itself stays as it was.
        let Some(made) = made else { return Ok(captured) };
        tracing::info!(table = %captured.name, "a row has a label that its enumeration had not: the types are read again");
        catalog.refresh_types()?;
        made.captured = Captured::new(&made.table, &made.columns, options, &catalog.types, labels)?;
        let captured = made.captured.clone();
        let entries = self.streamed.as_mut().unwrap_or(&mut self.by_id);
        if let Some(entry) = entries.get_mut(&id) {
            entry.known = Known::Captured(captured.clone());
        }
        Ok(captured)
    }

    fn enter(&mut self, id: u32, entry: Entry) {
        let entries = self.streamed.as_mut().unwrap_or(&mut self.by_id);
        if entries.len() >= RELATIONS_MAXIMUM {
            entries.clear();
        }
        entries.insert(id, entry);
    }

    /// How the rows of a table are read that is as the stream says; `None` for one that is not captured.
    fn captured_as(
        &mut self,
        relation: &Relation<'_>,
        options: &PostgresOptions,
        catalog: &mut Catalog,
    ) -> Result<Option<Captured>, Failure> {
        let id = TableId {
            catalog: options.connect.database.as_str().into(),
            schema: Some(relation.schema.into()),
            table: relation.name.into(),
        };
        if !(options.captured)(&id) {
            return Ok(None);
        }
        names_differ(&id, relation)?;
        if relation.columns.iter().any(|column| catalog.types.get(column.type_oid).is_none()) {
            catalog.refresh_types()?;
            self.made.clear();
        }
        let now = catalog.table(relation.id)?;
        let table = table(id, relation, &now, catalog);
        let columns: Vec<PgColumn> = relation
            .columns
            .iter()
            .map(|column| PgColumn { type_oid: column.type_oid, type_modifier: column.type_modifier })
            .collect();
        // Schemas and topics are made once for a layout: one that says the same must be the same one.
        let made = self.made.get(&relation.id).filter(|made| made.table == table && made.columns == columns);
        if let Some(made) = made {
            return Ok(Some(made.captured.clone()));
        }
        let captured = Captured::new(&table, &columns, options, &catalog.types, NewLabels::new())?;
        if self.made.len() >= RELATIONS_MAXIMUM {
            self.made.clear();
        }
        self.made.insert(relation.id, Made { table, columns, captured: captured.clone() });
        Ok(Some(captured))
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
