//! Structs over the row where it lies: with fields behind its own, or without some of them.

use crate::model::schema::Schema;
use crate::model::value::{Arena, StructView, ValueError, ValueRef, field_or_default};

/// A struct with fields behind its own.
pub struct Extended<'a> {
    /// The struct.
    pub base: &'a dyn StructView,
    /// How many fields it has.
    pub count: usize,
    /// Its schema, where null becomes what the schema has as default.
    pub defaults: Option<&'a Schema>,
    /// What stands behind them.
    pub more: &'a [ValueRef<'a>],
}

impl StructView for Extended<'_> {
    #[inline]
    fn field<'a>(&'a self, index: usize, arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        if index >= self.count {
            return Ok(self.more.get(index - self.count).copied().unwrap_or(ValueRef::Null));
        }
        match self.defaults {
            Some(schema) => field_or_default(self.base, schema, index, arena),
            None => self.base.field(index, arena),
        }
    }
}

/// Some of a struct's fields, with defaults for null.
pub struct Picked<'a> {
    /// The struct.
    pub base: &'a dyn StructView,
    /// Its schema.
    pub schema: &'a Schema,
    /// The places of those that are left.
    pub places: &'a [usize],
}

impl StructView for Picked<'_> {
    fn field<'a>(&'a self, index: usize, arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let Some(place) = self.places.get(index).copied() else { return Ok(ValueRef::Null) };
        field_or_default(self.base, self.schema, place, arena)
    }
}
