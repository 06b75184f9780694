//! What a family of MySQL's column types is asked about one column. What it gives back is the same for every source.

pub(super) use crate::source::codec::plan::{Decode, EmptyGeometry, Fallback, Plan, exactly, text_in};

use super::{CodecError, CodecOptions, WireColumn, type_name::TypeName};
use crate::model::table::Column;

/// What a family is asked about one column.
pub(super) struct Context<'a> {
    /// `database.table`, for errors.
    pub table: &'a str,
    /// The tracked column.
    pub column: &'a Column,
    /// Its type name taken apart.
    pub type_name: &'a TypeName,
    /// The table map's word on it.
    pub wire: WireColumn,
    /// The handling modes.
    pub options: &'a CodecOptions,
}

impl Context<'_> {
    /// The error for a tracked column and a wire column that are not the same.
    pub fn mismatch(&self) -> CodecError {
        let column = self.column;
        let tracked = match (column.length, column.scale) {
            (Some(length), Some(scale)) => format!("{}({length},{scale})", column.type_name),
            (Some(length), None) => format!("{}({length})", column.type_name),
            (None, _) => column.type_name.clone(),
        };
        let wire = self.wire;
        let mut text = format!("{} ({})", super::wire_type::name(wire.wire_type), wire.wire_type);
        if wire.metadata != 0 {
            text.push_str(&format!(", metadata {}", wire.metadata));
        }
        if let Some(unsigned) = wire.unsigned {
            text.push_str(if unsigned { ", unsigned" } else { ", signed" });
        }
        if let Some(collation) = wire.collation {
            text.push_str(&format!(", collation {collation}"));
        }
        CodecError::TypeMismatch { table: self.table.into(), column: column.name.clone(), tracked, wire: text }
    }
}
