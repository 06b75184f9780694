//! Records of a table's topic.

use super::source_block::{SourceView, only};
use super::{Envelope, TableShape};
use crate::model::change::Operation;
use crate::model::record::{Header, Record, Typed};
use crate::model::row::{Row, RowKey};
use crate::model::value::{Arena, Repeated, StructView, ValueError, ValueRef, Written};

/// The header of the delete that an update of a key begins with.
const NEW_KEY_HEADER: &str = "__debezium.newkey";
/// The header of the create that an update of a key ends with.
const OLD_KEY_HEADER: &str = "__debezium.oldkey";

/// A row's place in its transaction, as the envelope's `transaction` block.
#[derive(Clone, Copy)]
pub struct TransactionView<'t> {
    /// The transaction's id.
    pub id: &'t str,
    /// Among all events of the transaction, from 1.
    pub total_order: i64,
    /// Among the events of the table in the transaction, from 1.
    pub data_collection_order: i64,
}

impl StructView for TransactionView<'_> {
    fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(match index {
            0 => ValueRef::String(self.id),
            1 => ValueRef::Int64(self.total_order),
            2 => ValueRef::Int64(self.data_collection_order),
            _ => ValueRef::Null,
        })
    }
}

/// One envelope. Lies on the stack; nothing in it is decoded until a serializer asks.
#[derive(Clone, Copy)]
struct EnvelopeView<'e> {
    before: Option<&'e Row<'e>>,
    after: Option<&'e Row<'e>>,
    source: &'e SourceView<'e>,
    transaction: Option<&'e TransactionView<'e>>,
    operation: Operation,
    processed_ns: i64,
    written: Option<&'e Written>,
}

/// The fields that are structs, a bit for each.
const BEFORE: u64 = 1;
const AFTER: u64 = 1 << 1;
const SOURCE: u64 = 1 << 2;
const TRANSACTION: u64 = 1 << 3;

impl StructView for EnvelopeView<'_> {
    #[inline]
    fn field<'a>(&'a self, index: usize, _arena: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
        Ok(match index {
            0 => self.before.map_or(ValueRef::Null, |row| ValueRef::Struct(row)),
            1 => self.after.map_or(ValueRef::Null, |row| ValueRef::Struct(row)),
            2 => ValueRef::Struct(self.source),
            3 => self.transaction.map_or(ValueRef::Null, |block| ValueRef::Struct(block)),
            4 => ValueRef::String(self.operation.letter()),
            5 => ValueRef::Int64(self.processed_ns.div_euclid(1_000_000)),
            6 => ValueRef::Int64(self.processed_ns.div_euclid(1_000)),
            7 => ValueRef::Int64(self.processed_ns),
            _ => ValueRef::Null,
        })
    }

    /// What was processed at the same time differs in its structs, where it has them; the operation is its kind.
    #[inline]
    fn repeated(&self) -> Option<Repeated<'_>> {
        let rows = only(self.before.is_some(), BEFORE) | only(self.after.is_some(), AFTER);
        let varying = rows | SOURCE | only(self.transaction.is_some(), TRANSACTION);
        Some(Repeated { written: self.written?, kind: self.operation as u8, varying })
    }
}

/// One row's change, with all that its records are made of.
#[derive(Clone, Copy)]
pub struct RowEvent<'r> {
    /// What happened.
    pub operation: Operation,
    /// The row before, where there was one.
    pub before: Option<&'r Row<'r>>,
    /// The row after, where there is one.
    pub after: Option<&'r Row<'r>>,
    /// Where it comes from.
    pub source: &'r SourceView<'r>,
    /// Its place in the transaction, where that is asked for.
    pub transaction: Option<TransactionView<'r>>,
    /// When it was processed, in nanoseconds since the epoch.
    pub processed_ns: i64,
    /// What serializers have written of this table's events that were processed at the same time.
    pub written: Option<&'r Written>,
}

impl RowEvent<'_> {
    /// How many events of a transaction this row is: an update of a key counts as a delete and a create.
    pub fn count(&self) -> i64 {
        if self.changes_key() { 2 } else { 1 }
    }

    fn changes_key(&self) -> bool {
        match (self.operation, self.before, self.after) {
            (Operation::Update, Some(before), Some(after)) => !before.same_key(after),
            _ => false,
        }
    }
}

impl Envelope {
    /// Gives out the records of one row's change, in order.
    ///
    /// # Errors
    /// What `emit` fails with.
    pub fn row<E>(
        &self,
        shape: &TableShape,
        event: &RowEvent<'_>,
        emit: &mut impl FnMut(&Record<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if let (true, Operation::Update, Some(before), Some(after)) =
            (self.options.skip_unchanged, event.operation, event.before, event.after)
            && unchanged(before, after)
        {
            return Ok(());
        }
        if !event.changes_key() {
            let mut identity = event.after.or(event.before);
            if event.operation == Operation::Delete {
                identity = event.before;
            }
            return self.record(shape, event, event.transaction.as_ref(), identity, None, emit);
        }
        let (Some(before), Some(after)) = (event.before, event.after) else { return Ok(()) };
        let delete = RowEvent { operation: Operation::Delete, after: None, ..*event };
        let new_key = RowKey(*after);
        self.record(shape, &delete, event.transaction.as_ref(), Some(before), Some((NEW_KEY_HEADER, &new_key)), emit)?;
        let create = RowEvent { operation: Operation::Create, before: None, ..*event };
        let old_key = RowKey(*before);
        let next = event.transaction.map(|block| TransactionView {
            total_order: block.total_order + 1,
            data_collection_order: block.data_collection_order + 1,
            ..block
        });
        self.record(shape, &create, next.as_ref(), Some(after), Some((OLD_KEY_HEADER, &old_key)), emit)
    }

    /// Gives out the record of a truncated table.
    ///
    /// # Errors
    /// What `emit` fails with.
    pub fn truncate<E>(
        &self,
        shape: &TableShape,
        event: &RowEvent<'_>,
        emit: &mut impl FnMut(&Record<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.record(shape, event, event.transaction.as_ref(), None, None, emit)
    }

    fn record<E>(
        &self,
        shape: &TableShape,
        event: &RowEvent<'_>,
        transaction: Option<&TransactionView<'_>>,
        identity: Option<&Row<'_>>,
        header: Option<(&str, &RowKey<'_>)>,
        emit: &mut impl FnMut(&Record<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let view = EnvelopeView {
            before: event.before,
            after: event.after,
            source: event.source,
            transaction,
            operation: event.operation,
            processed_ns: event.processed_ns,
            written: event.written,
        };
        let row_key = identity.map(|row| RowKey(*row));
        let key = match (&shape.key, &row_key) {
            (Some(schema), Some(key)) => Typed { schema: Some(schema), value: ValueRef::Struct(key) },
            _ => Typed::NULL,
        };
        let headers = header.map(|(name, key)| {
            [Header { name, value: Typed { schema: shape.key.as_ref(), value: ValueRef::Struct(key) } }]
        });
        let record = Record {
            topic: &shape.topic,
            partition: None,
            key,
            value: Typed { schema: Some(&shape.envelope), value: ValueRef::Struct(&view) },
            headers: headers.as_ref().map_or(&[], |headers| headers.as_slice()),
            context_headers: self.options.context_headers,
            timestamp: None,
        };
        emit(&record)?;
        if event.operation == Operation::Delete && self.options.tombstones {
            emit(&Record { value: Typed::NULL, ..record })?;
        }
        Ok(())
    }
}

/// Whether an update changed none of the captured columns, by their bytes.
pub fn unchanged(before: &Row<'_>, after: &Row<'_>) -> bool {
    let columns = before.layout.columns.iter();
    columns
        .map(|column| column.cell)
        .all(|cell| before.cells.get(cell).is_some() && before.raw(cell) == after.raw(cell))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::envelope::source_block::{SourceConstants, Subject, first_origin};
    use crate::model::change::Origin;
    use crate::model::row::{Cell, Codec, ColumnLayout, TableLayout, TableNames};
    use crate::model::schema::{Kind, Schema};
    use crate::model::table::TableId;
    use crate::model::value::{WrittenFor, text_of};

    const FIELDS: usize = 8;

    /// A column of one byte.
    #[derive(Debug)]
    struct Byte;

    impl Codec for Byte {
        fn decode<'a>(&'a self, cell: &'a [u8], _: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
            cell.first().map(|byte| ValueRef::Int32(i32::from(*byte))).ok_or(ValueError::OutsideRow)
        }
    }

    fn layout() -> TableLayout {
        let schema = Arc::new(Schema::new(Kind::Int32));
        let column = ColumnLayout { name: "number".into(), schema, cell: 0, codec: Arc::new(Byte) };
        let (id, names) = (TableId::new("shop", "orders"), TableNames::default());
        TableLayout { id, version: 1, cells: 1, columns: [column].into(), key: [].into(), names }
    }

    #[test]
    fn an_envelope_is_the_same_whatever_was_written_before_it() {
        let constants = SourceConstants { version: String::new(), plugin: "mysql", logical_name: String::new() };
        let subject = Subject { database: "shop", schema: None, table: None };
        let origin = Origin::Binlog(first_origin());
        let (arena, layout) = (Arena::new(), layout());
        let source = SourceView::new(&constants, subject, &origin, &[], &arena);
        let cells = [Cell { offset: 0, length: 1 }];
        let mut written = WrittenFor::default();
        let mut number = 0u8;
        for processed_ns in [5_000_000, 5_000_000, 5_000_001, 7_000_000, 7_000_000, 5_000_000] {
            let written = written.at(processed_ns);
            // A key that was changed is a delete and a create; an image without all columns has no row before.
            for (operation, has_before, has_after) in [
                (Operation::Create, false, true),
                (Operation::Update, true, true),
                (Operation::Update, false, true),
                (Operation::Delete, true, false),
                (Operation::Delete, false, false),
            ] {
                for has_transaction in [false, true, true, false] {
                    number += 1;
                    let bytes = [[number], [number + 100]];
                    let row = |bytes| Row { layout: &layout, bytes, cells: &cells };
                    let (before, after) = (row(&bytes[0]), row(&bytes[1]));
                    let order = i64::from(number);
                    let block = TransactionView { id: "1", total_order: order, data_collection_order: order };
                    let mut source = source;
                    source.row = i32::from(number);
                    let alone = EnvelopeView {
                        before: has_before.then_some(&before),
                        after: has_after.then_some(&after),
                        source: &source,
                        transaction: has_transaction.then_some(&block),
                        operation,
                        processed_ns,
                        written: None,
                    };
                    let kept = EnvelopeView { written: Some(written), ..alone };
                    assert_eq!(text_of(&kept, FIELDS), text_of(&alone, FIELDS));
                }
            }
        }
    }
}
