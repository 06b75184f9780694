//! pgvector's VECTOR, HALFVEC and SPARSEVEC.
//!
//! In: `[1,2.5,3]`; `{1:1.5,3:2}/5`, which are the entries that are not zero and the number of all. Out:
//! `io.debezium.data.DoubleVector`, `.FloatVector` and `.SparseDoubleVector`, whose entries stand in the order of Java's
//! hash map.

use super::Context;
use super::default_value;
use super::hash_order::sort_by_bucket;
use super::number::{double_of, float_of, integer};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, Fields, ValueError, ValueRef};
use crate::source::codec::plan::{Decode, Fallback, Plan};

fn invalid(reason: &'static str) -> ValueError {
    ValueError::Invalid { column_type: "vector", reason }
}

/// The numbers between brackets.
fn numbers(cell: &[u8]) -> Result<impl Iterator<Item = &[u8]>, ValueError> {
    let inner = cell.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    let inner = inner.ok_or(invalid("not a list in brackets"))?;
    Ok(inner.split(|byte| *byte == b',').map(<[u8]>::trim_ascii))
}

#[derive(Clone, Debug)]
struct Vector;

impl Decode for Vector {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let mut out = bumpalo::collections::Vec::new_in(arena);
        for number in numbers(cell)? {
            out.push(ValueRef::Float64(double_of(number, "vector")?));
        }
        Ok(ValueRef::Array(out.into_bump_slice()))
    }
}

/// VECTOR.
pub(super) fn vector(_context: &Context<'_>) -> Plan {
    let items = Kind::Array(Schema::new(Kind::Float64).into());
    let schema = Schema::new(items).named("io.debezium.data.DoubleVector").version(1);
    Plan::new(schema, Fallback::EmptyArray, Vector, default_value::none)
}

#[derive(Clone, Debug)]
struct HalfVector;

impl Decode for HalfVector {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let mut out = bumpalo::collections::Vec::new_in(arena);
        for number in numbers(cell)? {
            out.push(ValueRef::Float32(float_of(number, "halfvec")?));
        }
        Ok(ValueRef::Array(out.into_bump_slice()))
    }
}

/// HALFVEC.
pub(super) fn half_vector(_context: &Context<'_>) -> Plan {
    let items = Kind::Array(Schema::new(Kind::Float32).into());
    let schema = Schema::new(items).named("io.debezium.data.FloatVector").version(1);
    Plan::new(schema, Fallback::EmptyArray, HalfVector, default_value::none)
}

#[derive(Clone, Debug)]
struct SparseVector;

fn index(text: &[u8]) -> Result<i16, ValueError> {
    let number = integer(text.trim_ascii(), "sparsevec")?;
    i16::try_from(number).map_err(|_| invalid("an index that Debezium's schema has no room for"))
}

impl Decode for SparseVector {
    fn decode<'a>(&'a self, cell: &'a [u8], arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        let shape = || invalid("not entries in braces and a number of dimensions");
        let slash = cell.iter().position(|byte| *byte == b'/').ok_or_else(shape)?;
        let dimensions = index(cell.get(slash + 1..).unwrap_or_default())?;
        let entries = cell.get(..slash).unwrap_or_default();
        let entries = entries.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}")).ok_or_else(shape)?;
        let mut out = bumpalo::collections::Vec::new_in(arena);
        if !entries.is_empty() {
            for entry in entries.split(|byte| *byte == b',') {
                let colon = entry.iter().position(|byte| *byte == b':').ok_or_else(shape)?;
                let place = index(entry.get(..colon).unwrap_or_default())?;
                let value = double_of(entry.get(colon + 1..).unwrap_or_default().trim_ascii(), "sparsevec")?;
                let entry = (ValueRef::Int16(place), ValueRef::Float64(value));
                out.push((i32::from(place), entry));
            }
        }
        // Debezium makes its map with room for all entries, which a power of two above them is.
        let entries = sort_by_bucket(&mut out, entries_capacity, arena);
        let fields = arena.alloc_slice_copy(&[ValueRef::Int16(dimensions), ValueRef::Map(entries)]);
        Ok(ValueRef::Struct(arena.alloc(Fields(fields))))
    }
}

/// The buckets of `new HashMap(entries)` with as many entries in it.
fn entries_capacity(entries: usize) -> usize {
    let mut capacity = entries.max(1).next_power_of_two();
    while entries * 4 > capacity * 3 {
        capacity *= 2;
    }
    capacity
}

/// SPARSEVEC.
pub(super) fn sparse_vector(_context: &Context<'_>) -> Plan {
    let entries = Kind::Map(Schema::new(Kind::Int16).into(), Schema::new(Kind::Float64).into());
    let fields = vec![Field::new("dimensions", Schema::new(Kind::Int16)), Field::new("vector", Schema::new(entries))];
    let schema = Schema::new(Kind::Struct(fields)).named("io.debezium.data.SparseDoubleVector");
    let schema = schema.version(1).doc("Sparse double vector");
    Plan::new(schema, Fallback::Null, SparseVector, default_value::none)
}
