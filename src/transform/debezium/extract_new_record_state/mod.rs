//! `io.debezium.transforms.ExtractNewRecordState`: the row itself instead of its envelope.
//!
//! In: envelopes and tombstones. Out: for an insert or update the row after it, for a delete what
//! `delete.tombstone.handling.mode` says, each with the fields of the envelope that are asked for. Promised: records and
//! schemas of Debezium 3.6; the row stays where it lies, and what is added stands beside it. Records that are no
//! envelopes pass; a truncated table's record ends here. Nothing here survives a crash.
//!
//! Schemas lose that they are optional wherever Connect's `SchemaUtil.copySchemaBasics` loses it. Only the null of a
//! delete keeps the schema of rows as the envelope has it.
//!
//! Two things differ. The option names of Debezium 2 act here, and are ignored by 3.x ([`options`]). And with `add.headers` a
//! tombstone that is kept has the headers that are its own; in Debezium it shares those of the delete before it, and so has
//! what was added to that, too.

use std::sync::Arc;

use self::options::{Deletes, ExtractOptions};
use self::plan::{Image, Plan};
use self::views::{Extended, Picked};
use super::structs::{is_envelope, unusable};
use crate::model::record::{Header, Record, Typed};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, StructView, ValueRef};
use crate::transform::memo::{Memo, SchemaMemo};
use crate::transform::{Target, Transform, TransformError, TransformSpec};
use crate::util::class_options::Options;

mod options;
mod plan;
mod views;

/// The transform that unwraps envelopes.
pub static SPEC: TransformSpec = TransformSpec {
    name: "ExtractNewRecordState",
    aliases: &["io.debezium.transforms.ExtractNewRecordState"],
    about: "Gives the row itself instead of its envelope",
    targets: &[Target::Record],
    options: &[options::OPTIONS],
    build,
};

fn build(options: &Options<'_>, _target: Target) -> Result<Box<dyn Transform>, TransformError> {
    Ok(Box::new(ExtractNewRecordState {
        options: ExtractOptions::read(options)?,
        plans: SchemaMemo::default(),
        topics: Memo::default(),
        reduced: Memo::default(),
        appended: SchemaMemo::default(),
        text: Arc::new(Schema::new(Kind::String)),
    }))
}

struct ExtractNewRecordState {
    options: ExtractOptions,
    /// `None` for schemas that are no envelope's.
    plans: SchemaMemo<Option<Plan>>,
    topics: Memo<String, Arc<str>>,
    /// By the address of a schema and the names of fields.
    reduced: Memo<String, Reduced>,
    /// By schemas that fields were dropped from: the same with what is added.
    appended: SchemaMemo<Arc<Schema>>,
    text: Arc<Schema>,
}

/// A schema without some of its fields.
struct Reduced {
    /// `None`: nothing is left out.
    schema: Option<Arc<Schema>>,
    places: Vec<usize>,
    /// The schema with all fields: kept, so that no other can have its address.
    whole: Arc<Schema>,
}

/// A struct and its schema.
#[derive(Clone, Copy)]
struct Structure<'a> {
    schema: &'a Arc<Schema>,
    view: &'a dyn StructView,
}

impl<'a> Structure<'a> {
    fn typed(self) -> Typed<'a> {
        Typed { schema: Some(self.schema), value: ValueRef::Struct(self.view) }
    }
}

impl Transform for ExtractNewRecordState {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        if matches!(record.value.value, ValueRef::Null) {
            return Ok(self.tombstone(record, arena));
        }
        let Some(schema) = record.value.schema else { return Ok(Some(record)) };
        let of = || is_envelope(schema).then(|| Plan::of(schema, &self.options)).transpose();
        let Some(plan) = self.plans.get(schema, of)? else { return Ok(Some(record)) };
        let ValueRef::Struct(envelope) = record.value.value else {
            return Err(unusable("an envelope that is not a struct".to_owned()));
        };
        let mut record = record;
        if !plan.headers.is_empty() {
            let mut headers =
                bumpalo::collections::Vec::with_capacity_in(record.headers.len() + plan.headers.len(), arena);
            headers.extend_from_slice(record.headers);
            for added in &plan.headers {
                let value = Typed { schema: Some(&added.schema), value: added.value(envelope, arena)? };
                headers.push(Header { name: &added.name, value });
            }
            record.headers = headers.into_bump_slice();
        }
        if let ValueRef::Struct(row) = plan.after.column.raw(envelope, arena)? {
            return self.changed(plan, record, envelope, row, arena).map(Some);
        }
        let before = plan.before.as_ref().ok_or_else(|| unusable("unknown field: before".to_owned()))?;
        if let ValueRef::Struct(row) = before.column.raw(envelope, arena)? {
            return self.deleted(plan, before, record, envelope, row, arena);
        }
        // The record of a truncated table.
        Ok(None)
    }

    fn wants_header(&self, name: &str) -> bool {
        self.options.drop_header.as_deref() == Some(name)
    }

    fn rest(&mut self) {
        self.plans.rest();
        self.topics.rest();
        self.reduced.rest();
        self.appended.rest();
    }
}

impl ExtractNewRecordState {
    fn tombstone<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Option<Record<'a>> {
        if !self.options.keep_tombstones {
            return None;
        }
        let operations = self.options.headers.iter().filter(|header| header.field == "op");
        let deleted = Typed { schema: Some(&self.text), value: ValueRef::String("d") };
        let added = operations.map(|header| Header { name: &header.name, value: deleted });
        let headers = record.headers.iter().copied().chain(added);
        let headers = bumpalo::collections::Vec::from_iter_in(headers, arena).into_bump_slice();
        Some(Record { headers, ..record })
    }

    /// An insert or an update.
    fn changed<'a>(
        &'a self,
        plan: &'a Plan,
        mut record: Record<'a>,
        envelope: &'a dyn StructView,
        row: &'a dyn StructView,
        arena: &'a Arena,
    ) -> Result<Record<'a>, TransformError> {
        if let Some(route) = &plan.after.route {
            let column = route.as_ref().map_err(Clone::clone)?;
            let replaced = self.options.deletes == Deletes::Rewrite && self.options.replace_null;
            let value = if replaced { column.get(row, arena)? } else { column.raw(row, arena)? };
            self.route(&mut record, value)?;
        }
        let extended = self.extended(plan, &plan.after, "false", envelope, row, arena)?;
        record.value = extended.typed();
        if let Some(names) = self.dropped(&record)? {
            record.value = self.without(extended, names, arena)?.typed();
            record.key = self.key(record.key, names, arena)?;
        }
        Ok(record)
    }

    fn deleted<'a>(
        &'a self,
        plan: &'a Plan,
        before: &'a Image,
        mut record: Record<'a>,
        envelope: &'a dyn StructView,
        row: &'a dyn StructView,
        arena: &'a Arena,
    ) -> Result<Option<Record<'a>>, TransformError> {
        if self.options.deletes == Deletes::Drop {
            return Ok(None);
        }
        if let Some(route) = &before.route {
            let column = route.as_ref().map_err(Clone::clone)?;
            self.route(&mut record, column.raw(row, arena)?)?;
        }
        let names = self.dropped(&record)?;
        record.value = match (self.options.deletes, names) {
            (Deletes::Drop | Deletes::Tombstone, _) => Typed::NULL,
            (Deletes::Null, _) => Typed { schema: Some(&plan.after.column.schema), value: ValueRef::Null },
            (Deletes::Rewrite, None) => self.extended(plan, before, "true", envelope, row, arena)?.typed(),
            (Deletes::Rewrite, Some(names)) => {
                // Here fields are dropped first and added then, so that none that is added is dropped.
                let marked = self.marked(before, row, arena);
                let left = self.without(Structure { schema: &before.marked, view: marked }, names, arena)?;
                let more = added(plan, envelope, None, arena)?;
                let count = left.schema.fields().len();
                let view = arena.alloc(Extended { base: left.view, count, defaults: None, more });
                let schema = self.appended.get(left.schema, || plan.appended(left.schema).map(Arc::new))?;
                Structure { schema, view }.typed()
            }
        };
        if let Some(names) = names {
            record.key = self.key(record.key, names, arena)?;
        }
        Ok(Some(record))
    }

    /// A row with its mark and all that is added; the row itself where that is nothing.
    fn extended<'a>(
        &'a self,
        plan: &'a Plan,
        image: &'a Image,
        mark: &'static str,
        envelope: &'a dyn StructView,
        row: &'a dyn StructView,
        arena: &'a Arena,
    ) -> Result<Structure<'a>, TransformError> {
        let rewritten = self.options.deletes == Deletes::Rewrite;
        if !rewritten && plan.fields.is_empty() {
            return Ok(Structure { schema: &image.schema, view: row });
        }
        let more = added(plan, envelope, rewritten.then_some(mark), arena)?;
        let count = image.column.schema.fields().len();
        let defaults = (rewritten && self.options.replace_null).then_some(&*image.column.schema);
        let view = arena.alloc(Extended { base: row, count, defaults, more });
        Ok(Structure { schema: &image.schema, view })
    }

    /// A deleted row with its mark alone.
    fn marked<'a>(&'a self, image: &'a Image, row: &'a dyn StructView, arena: &'a Arena) -> &'a dyn StructView {
        let defaults = self.options.replace_null.then_some(&*image.column.schema);
        let count = image.column.schema.fields().len();
        arena.alloc(Extended { base: row, count, defaults, more: &[ValueRef::String("true")] })
    }

    fn route<'a>(&'a self, record: &mut Record<'a>, value: ValueRef<'a>) -> Result<(), TransformError> {
        if let ValueRef::String(topic) = value
            && !topic.trim().is_empty()
        {
            record.topic = self.topics.get(topic, || Ok::<_, TransformError>(topic.into()))?;
        }
        Ok(())
    }

    /// The names in the header that lists fields; `None` when there are none.
    fn dropped<'a>(&self, record: &Record<'a>) -> Result<Option<&'a [ValueRef<'a>]>, TransformError> {
        let Some(name) = &self.options.drop_header else { return Ok(None) };
        let Some(header) = record.headers.iter().find(|header| header.name == name) else { return Ok(None) };
        if let ValueRef::Array(names) = header.value.value {
            return Ok(Some(names).filter(|names| !names.is_empty()));
        }
        if matches!(header.value.value, ValueRef::Null) {
            return Ok(None);
        }
        Err(unusable(format!("the header {name} is not a list of fields")))
    }

    fn key<'a>(
        &'a self,
        key: Typed<'a>,
        names: &'a [ValueRef<'a>],
        arena: &'a Arena,
    ) -> Result<Typed<'a>, TransformError> {
        match (key.schema, key.value) {
            (Some(schema), ValueRef::Struct(view)) if self.options.drop_from_key => {
                Ok(self.without(Structure { schema, view }, names, arena)?.typed())
            }
            _ => Ok(key),
        }
    }

    /// `ReplaceField` with `exclude`.
    fn without<'a>(
        &'a self,
        structure: Structure<'a>,
        names: &'a [ValueRef<'a>],
        arena: &'a Arena,
    ) -> Result<Structure<'a>, TransformError> {
        let mut key = bumpalo::format!(in arena, "{:x}", Arc::as_ptr(structure.schema) as usize);
        for name in names {
            if let ValueRef::String(name) = name {
                key.push(',');
                key.push_str(name);
            }
        }
        let reduced = self.reduced.get(key.as_str(), || self.reduce(structure.schema, names))?;
        Ok(match &reduced.schema {
            None => structure,
            Some(schema) => {
                let view = Picked { base: structure.view, schema: &reduced.whole, places: &reduced.places };
                Structure { schema, view: arena.alloc(view) }
            }
        })
    }

    fn reduce(&self, whole: &Arc<Schema>, names: &[ValueRef<'_>]) -> Result<Reduced, TransformError> {
        let named =
            |field: &Field| names.iter().any(|name| matches!(name, ValueRef::String(name) if **name == *field.name));
        let leaves = |field: &Field| named(field) && (!self.options.keep_compatible || field.schema.optional);
        let fields = whole.fields();
        let places: Vec<usize> =
            (0..fields.len()).filter(|place| fields.get(*place).is_some_and(|field| !leaves(field))).collect();
        // Without regard to compatibility Debezium makes the struct anew even where nothing is left out.
        let schema = if self.options.keep_compatible && places.len() == fields.len() {
            None
        } else {
            let left = places.iter().filter_map(|place| fields.get(*place).cloned()).collect();
            Some(Arc::new(super::structs::with_fields(whole, left)?))
        };
        Ok(Reduced { schema, places, whole: whole.clone() })
    }
}

/// The values that stand behind a row's own: its mark and what is added.
fn added<'a>(
    plan: &'a Plan,
    envelope: &'a dyn StructView,
    mark: Option<&'static str>,
    arena: &'a Arena,
) -> Result<&'a [ValueRef<'a>], TransformError> {
    let mut more = bumpalo::collections::Vec::with_capacity_in(1 + plan.fields.len(), arena);
    more.extend(mark.map(ValueRef::String));
    for added in &plan.fields {
        more.push(added.value(envelope, arena)?);
    }
    Ok(more.into_bump_slice())
}

#[cfg(test)]
mod tests;
