//! `io.debezium.transforms.TimezoneConverter`: times of rows in another time zone.
//!
//! In: envelopes. Out: the same with the times that the lists choose converted, before and after: texts with an offset show
//! the same moment in the zone (`ZonedTimestamp`, `ZonedTime`); numbers without one (`Timestamp`, `MicroTimestamp`,
//! `NanoTimestamp`, Connect's `Timestamp`) are taken for what the zone's clocks show and become the moment that is. `ts_ms`,
//! `ts_us` and `ts_ns` of the source block, where they are named, have the zone's offset added. Dates and times of day stay.
//! A null in a column with a default is the converted default. Promised: the values of Debezium 3.6; which fields of a schema
//! are converted is found out once, and the envelope stays where it lies. Other records pass. Nothing here survives a crash.
//!
//! One thing differs: for a time of day (PostgreSQL's TIMETZ) Debezium takes the zone's offset of now, which is a clock's
//! word; here it is the offset at the envelope's `ts_ms`, which was now when the envelope was made.

mod rules;
mod zone;

use std::cell::OnceCell;

use self::rules::{Rule, Rules};
use self::zone::Zone;
use super::overlaid::Overlaid;
use super::structs::{Column, is_envelope, unusable};
use crate::model::record::Record;
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, StructView, ValueError, ValueRef};
use crate::transform::memo::SchemaMemo;
use crate::transform::{Target, Transform, TransformError, TransformSpec};
use crate::util::class_options::{BadOption, ClassOption, Options};

const ZONE: &str = "converted.timezone";

/// The transform that converts times.
pub static SPEC: TransformSpec = TransformSpec {
    name: "TimezoneConverter",
    aliases: &["io.debezium.transforms.TimezoneConverter"],
    about: "Converts the times of rows to a time zone",
    targets: &[Target::Record],
    options: &[&[
        ClassOption::new(ZONE, "", "the zone, as Europe/Paris or +05:30; required"),
        ClassOption::new(
            "include.list",
            "",
            "what is converted: source:TABLE, source:TABLE:FIELD, topic:TOPIC, topic:TOPIC:FIELD or NAME:FIELD",
        ),
        ClassOption::new("exclude.list", "", "what is not, in the same form"),
    ]],
    build,
};

struct TimezoneConverter {
    zone: Zone,
    rules: Rules,
    /// `None` for schemas that are no envelope's.
    envelopes: SchemaMemo<Option<Envelope>>,
}

/// An envelope's structs, and for each rule what it converts in them.
struct Envelope {
    source: Option<Column>,
    table: Option<Column>,
    moment: Option<Column>,
    plans: Vec<OnceCell<Plan>>,
}

/// The structs in which something is converted.
type Plan = Vec<(Column, Vec<(Column, Conversion)>)>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Conversion {
    /// A text with date and offset.
    DateTime,
    /// A text with offset and without date.
    Time,
    /// A number of so many to the second, of the zone's clocks.
    Local(i64),
    /// A number of so many to the second, of a moment.
    Epoch(i64),
}

fn build(options: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    let Some(name) = options.text(ZONE) else {
        return Err(TransformError::Options { reason: format!("{ZONE} is not set") });
    };
    let expected = "a time zone of IANA's (Europe/Paris) or an offset (+05:30)";
    let bad = || BadOption { option: ZONE, value: name.to_owned(), expected };
    let rules = Rules::parse(options)?;
    let zone = Zone::parse(name).ok_or_else(bad)?;
    Ok(Box::new(TimezoneConverter { zone, rules, envelopes: SchemaMemo::default() }))
}

impl Conversion {
    /// Of a field, by its schema's name.
    fn of(image: &str, name: &str, schema: &Schema) -> Option<Conversion> {
        let conversion = match (schema.name.as_deref(), image, name) {
            (Some("io.debezium.time.ZonedTimestamp"), ..) => Conversion::DateTime,
            (Some("io.debezium.time.ZonedTime"), ..) => Conversion::Time,
            (Some("io.debezium.time.Timestamp" | "org.apache.kafka.connect.data.Timestamp"), ..) => {
                Conversion::Local(1_000)
            }
            (Some("io.debezium.time.MicroTimestamp"), ..) => Conversion::Local(1_000_000),
            (Some("io.debezium.time.NanoTimestamp"), ..) => Conversion::Local(1_000_000_000),
            (None, "source", "ts_ms") => Conversion::Epoch(1_000),
            (None, "source", "ts_us") => Conversion::Epoch(1_000_000),
            (None, "source", "ts_ns") => Conversion::Epoch(1_000_000_000),
            (Some(_) | None, ..) => return None,
        };
        let kind = match conversion {
            Conversion::DateTime | Conversion::Time => Kind::String,
            Conversion::Local(_) | Conversion::Epoch(_) => Kind::Int64,
        };
        (schema.kind == kind).then_some(conversion)
    }
}

/// Times that stay as they are, though a list names them.
fn stays(schema: &Schema) -> bool {
    let name = schema.name.as_deref().unwrap_or_default();
    matches!(
        name,
        "io.debezium.time.Date"
            | "io.debezium.time.MicroTime"
            | "io.debezium.time.NanoTime"
            | "io.debezium.time.Time"
            | "org.apache.kafka.connect.data.Date"
            | "org.apache.kafka.connect.data.Time"
    )
}

fn plan(envelope: &Schema, rule: &Rule) -> Plan {
    let mut plan = Vec::new();
    for image in ["before", "after", "source"] {
        let Some(column) = Column::find(envelope, image) else { continue };
        if !matches!(column.schema.kind, Kind::Struct(_)) {
            continue;
        }
        let mut columns = Vec::new();
        for (index, field) in column.schema.fields().iter().enumerate() {
            if !rule.takes(image, &field.name) {
                continue;
            }
            if stays(&field.schema) {
                tracing::warn!(
                    field = &*field.name,
                    schema = field.schema.name.as_deref(),
                    "times of this kind are not converted to another zone"
                );
            }
            if let Some(conversion) = Conversion::of(image, &field.name, &field.schema) {
                columns.push((Column { index, schema: field.schema.clone() }, conversion));
            }
        }
        if !columns.is_empty() {
            plan.push((column, columns));
        }
    }
    plan
}

impl Envelope {
    fn of(schema: &Schema, rules: usize) -> Envelope {
        let source = Column::find(schema, "source");
        let table = source.as_ref().and_then(|source| Column::find(&source.schema, "table"));
        let moment = Column::find(schema, "ts_ms");
        Envelope { source, table, moment, plans: (0..rules).map(|_| OnceCell::new()).collect() }
    }

    fn table<'a>(&'a self, envelope: &'a dyn StructView, arena: &'a Arena) -> Result<Option<&'a str>, ValueError> {
        let (Some(source), Some(table)) = (&self.source, &self.table) else { return Ok(None) };
        let ValueRef::Struct(source) = source.raw(envelope, arena)? else { return Ok(None) };
        table.text(source, arena)
    }
}

impl TimezoneConverter {
    fn converted<'a>(
        &self,
        conversion: Conversion,
        value: ValueRef<'a>,
        moment: Option<i64>,
        arena: &'a Arena,
    ) -> Result<ValueRef<'a>, TransformError> {
        let no_time = || unusable("not a time with an offset".to_owned());
        let text = |text: String| ValueRef::String(arena.alloc_str(&text));
        let shifted = |number: i64, seconds: i64, per_second: i64| {
            let shifted = seconds.checked_mul(per_second).and_then(|apart| number.checked_add(apart));
            shifted.map(ValueRef::Int64).ok_or_else(|| unusable("a time beyond what 64 bits hold".to_owned()))
        };
        match (conversion, value) {
            (Conversion::DateTime, ValueRef::String(date_time)) => {
                self.zone.date_time(date_time).map(text).ok_or_else(no_time)
            }
            (Conversion::Time, ValueRef::String(time)) => {
                let moment = moment.ok_or_else(|| unusable("an envelope without ts_ms".to_owned()))?;
                self.zone.time(time, moment.div_euclid(1_000)).map(text).ok_or_else(no_time)
            }
            (Conversion::Local(per_second), ValueRef::Int64(number)) => {
                shifted(number, -i64::from(self.zone.at_local(number.div_euclid(per_second))), per_second)
            }
            (Conversion::Epoch(per_second), ValueRef::Int64(number)) => {
                shifted(number, self.zone.at(number.div_euclid(per_second)).into(), per_second)
            }
            _ => Err(ValueError::Shape.into()),
        }
    }

    fn image<'a>(
        &self,
        view: &'a dyn StructView,
        columns: &'a [(Column, Conversion)],
        moment: Option<i64>,
        arena: &'a Arena,
    ) -> Result<ValueRef<'a>, TransformError> {
        let mut over = bumpalo::collections::Vec::with_capacity_in(columns.len(), arena);
        for (column, conversion) in columns {
            let value = column.get(view, arena)?;
            if matches!(value, ValueRef::Null) {
                continue;
            }
            let made = self.converted(*conversion, value, moment, arena);
            let name = || column.schema.name.as_deref().unwrap_or("int64");
            over.push((column.index, made.map_err(|error| error.of_field(name()))?));
        }
        Ok(ValueRef::Struct(arena.alloc(Overlaid { base: view, defaults: None, over: over.into_bump_slice() })))
    }
}

impl Transform for TimezoneConverter {
    fn apply<'a>(&'a self, mut record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let (Some(schema), ValueRef::Struct(view)) = (record.value.schema, record.value.value) else {
            return Ok(Some(record));
        };
        let of = || Ok::<_, TransformError>(is_envelope(schema).then(|| Envelope::of(schema, self.rules.all.len())));
        let Some(envelope) = self.envelopes.get(schema, of)? else { return Ok(Some(record)) };
        let table = if self.rules.ask_for_tables() { envelope.table(view, arena)? } else { None };
        let place = self.rules.find(record.topic, table);
        let (Some(rule), Some(cell)) = (self.rules.all.get(place), envelope.plans.get(place)) else {
            return Ok(Some(record));
        };
        let moment = envelope.moment.as_ref().map(|moment| moment.int64(view, arena)).transpose()?.flatten();
        let plan = cell.get_or_init(|| plan(schema, rule));
        let mut over = bumpalo::collections::Vec::with_capacity_in(plan.len(), arena);
        for (image, columns) in plan {
            if let ValueRef::Struct(row) = image.raw(view, arena)? {
                over.push((image.index, self.image(row, columns, moment, arena)?));
            }
        }
        if !over.is_empty() {
            let over = over.into_bump_slice();
            record.value.value = ValueRef::Struct(arena.alloc(Overlaid { base: view, defaults: None, over }));
        }
        Ok(Some(record))
    }

    fn rest(&mut self) {
        self.envelopes.rest();
    }
}

#[cfg(test)]
mod tests;
