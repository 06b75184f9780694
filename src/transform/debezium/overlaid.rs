//! A struct over another, with some of its fields replaced or more behind them.
//!
//! In: the struct where it lies. Out: a view; fields that are not named are read where they are. Promised: nothing is
//! copied but references. Nothing here survives a crash.

use crate::model::schema::Schema;
use crate::model::value::{Arena, StructView, ValueError, ValueRef, field_or_default};

/// The view.
pub struct Overlaid<'a> {
    /// The struct beneath.
    pub base: &'a dyn StructView,
    /// Its schema, where null becomes what the schema has as default (`Struct.get`).
    pub defaults: Option<&'a Schema>,
    /// Fields by their places in the new schema; a place behind those of the struct beneath is one more field.
    pub over: &'a [(usize, ValueRef<'a>)],
}

impl StructView for Overlaid<'_> {
    fn field<'a>(&'a self, index: usize, arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        if let Some((_, value)) = self.over.iter().find(|(place, _)| *place == index) {
            return Ok(*value);
        }
        match self.defaults {
            Some(schema) => field_or_default(self.base, schema, index, arena),
            None => self.base.field(index, arena),
        }
    }
}
