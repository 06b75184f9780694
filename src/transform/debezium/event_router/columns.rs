//! Where an outbox table's columns are, found once for a version of the table.

use std::sync::Arc;

use super::options::{Additional, EventRouterOptions, Placement};
use crate::model::schema::{Field, Kind, Schema};
use crate::transform::TransformError;
use crate::transform::debezium::structs::{Column, unusable};

/// The fields of an envelope that the router reads.
pub struct EnvelopeFields {
    /// `op`
    pub operation: Column,
    /// `after`
    pub after: Option<Column>,
    /// `ts_ms`
    pub time: Option<Column>,
}

impl EnvelopeFields {
    /// In an envelope of this schema.
    ///
    /// # Errors
    /// When it has no `op`.
    pub fn of(schema: &Schema) -> Result<Self, TransformError> {
        Ok(EnvelopeFields {
            operation: Column::typed(schema, "op", &Kind::String)?,
            after: Column::find(schema, "after"),
            time: Column::find(schema, "ts_ms").filter(|time| time.schema.kind == Kind::Int64),
        })
    }
}

/// The column that says the record's timestamp.
pub struct Time {
    pub column: Column,
    /// How many of its units are a millisecond; `None` for types that are no timestamp.
    pub per_millisecond: Option<i64>,
}

impl Time {
    /// A value of the column in milliseconds, cut off as Java's division does.
    ///
    /// # Errors
    /// When the column is no timestamp.
    pub fn milliseconds(&self, units: i64) -> Result<i64, TransformError> {
        let per_millisecond = self.per_millisecond.ok_or_else(|| {
            let name = self.column.schema.name.as_deref().unwrap_or("int64 without a name");
            unusable(format!("unsupported field type {name} for event timestamp"))
        })?;
        Ok(units / per_millisecond)
    }
}

/// A column that goes into a header, or beside the payload.
pub struct Placed {
    pub column: Column,
    pub alias: String,
}

/// The columns of one version of an outbox table.
pub struct Columns {
    pub id: Column,
    pub key: Column,
    pub payload: Column,
    pub route: Column,
    pub time: Option<Time>,
    pub version: Option<Column>,
    pub headers: Vec<Placed>,
    pub envelope: Vec<Placed>,
    pub partition: Option<Column>,
    /// Whether the value is a struct of the payload and other columns.
    pub wraps: bool,
}

impl Columns {
    /// In rows of this schema.
    ///
    /// # Errors
    /// When a column is missing or not of the type that it must have.
    pub fn of(schema: &Schema, options: &EventRouterOptions) -> Result<Self, TransformError> {
        let missing = |what: &str, name: &str| unusable(format!("unable to find {what} field {name} in event"));
        let payload = Column::find(schema, &options.payload).ok_or_else(|| missing("payload", &options.payload))?;
        let time = options.timestamp.as_ref().map(|name| {
            Column::find(schema, name).ok_or_else(|| missing("timestamp", name))?;
            let column = Column::typed(schema, name, &Kind::Int64)?;
            let per_millisecond = match column.schema.name.as_deref() {
                Some("io.debezium.time.Timestamp") => Some(1),
                Some("io.debezium.time.MicroTimestamp") => Some(1_000),
                Some("io.debezium.time.NanoTimestamp") => Some(1_000_000),
                _ => None,
            };
            Ok::<_, TransformError>(Time { column, per_millisecond })
        });
        let placed = |placement: Placement| {
            let wanted = options.additional.iter().filter(move |additional| additional.placement == placement);
            wanted.filter_map(|Additional { column: name, alias, .. }| match Column::find(schema, name) {
                None if options.ignore_missing => None,
                None => Some(Err(unusable(format!("unable to find field {name} in event")))),
                Some(column) => Some(Ok(Placed { column, alias: alias.clone() })),
            })
        };
        let wraps = options.additional.iter().any(|additional| additional.placement == Placement::Envelope);
        let version = options.version.as_ref().filter(|_| wraps);
        let columns = Columns {
            time: time.transpose()?,
            id: Column::find(schema, &options.id).ok_or_else(|| missing("event-id", &options.id))?,
            payload,
            version: version.map(|name| Column::typed(schema, name, &Kind::Int32)).transpose()?,
            headers: placed(Placement::Header).collect::<Result<_, _>>()?,
            envelope: placed(Placement::Envelope).collect::<Result<_, _>>()?,
            partition: placed(Placement::Partition).next_back().transpose()?.map(|placed| placed.column),
            key: Column::of(schema, &options.key)?,
            route: Column::typed(schema, &options.route_by, &Kind::String)?,
            wraps,
        };
        if columns.partition.as_ref().is_some_and(|column| column.schema.kind != Kind::Int32) {
            return Err(unusable("the field that says the partition is not of type int32".to_owned()));
        }
        Ok(columns)
    }

    /// The schema of a value that holds the payload and other columns.
    ///
    /// # Errors
    /// When two of its fields have one name.
    pub fn value_schema(
        &self,
        payload: &Arc<Schema>,
        rows: &Schema,
        route: &str,
        version: Option<i32>,
    ) -> Result<Schema, TransformError> {
        let placed = self.envelope.iter().map(|placed| Field::new(&placed.alias, placed.column.schema.clone()));
        let fields: Vec<Field> = [Field::new("payload", payload.clone())].into_iter().chain(placed).collect();
        let name = match rows.name.as_deref().map(|name| (name, name.rfind('.'))) {
            Some((name, Some(dot))) => {
                let (before, last) = name.split_at(dot + 1);
                format!("{before}{route}.{last}")
            }
            Some((name, None)) => format!("{route}.{name}"),
            None => route.to_owned(),
        };
        let schema = Schema { version, ..Schema::new(Kind::Struct(Vec::new())).named(&name) };
        crate::transform::debezium::structs::with_fields(&schema, fields)
    }
}
