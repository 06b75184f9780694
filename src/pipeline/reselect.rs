//! `ReselectColumnsPostProcessor`: columns that a change did not bring, or that are null, as they are now.
//!
//! In: the images of a row before its envelope is made. Out: the image after the change with the columns filled that the
//! options name, as the source read them again; bytes that were added lie behind a copy of the image. Promised: a row that
//! lacks nothing costs a look at its cells, and a connector without the processor not even that; a key stays as it was.
//! Where a row is not found or the server does not answer, the change goes out as it came, or the connector ends, as
//! `reselect.error.handling.mode` says. Nothing here survives a crash: the row is read again.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::PipelineError;
use crate::config::connector::ReselectOptions;
use crate::error::Failure;
use crate::model::change::Origin;
use crate::model::row::{Cell, Row, RowCells, TableLayout};
use crate::model::table::TableId;
use crate::model::value::{Arena, ValueRef};
use crate::source::Reselect;

/// Tables whose columns are kept in mind; beyond it all are looked at again.
const PLANS_MAXIMUM: usize = 16 * 1024;

/// A processor of a connector, and how its workers reach the database.
#[derive(Clone)]
pub struct Reselection {
    /// What is read again.
    pub options: Arc<ReselectOptions>,
    /// A way to the database for one worker.
    pub open: Arc<dyn Fn() -> Box<dyn Reselect> + Send + Sync>,
}

/// A processor of one worker.
pub(super) struct Reselector {
    options: Arc<ReselectOptions>,
    source: Box<dyn Reselect>,
    /// By the versions of layouts.
    plans: HashMap<u64, Arc<Plan>>,
    wanted: Vec<usize>,
}

/// What is read again of one version of a table.
#[derive(Default)]
struct Plan {
    /// The places of the columns that find a row.
    key: Vec<usize>,
    columns: Vec<Lacking>,
}

/// A column, and when it is read again.
struct Lacking {
    cell: usize,
    null: bool,
    absent: bool,
}

impl Reselector {
    pub(super) fn new(reselection: &Reselection) -> Self {
        let options = reselection.options.clone();
        Reselector { options, source: (reselection.open)(), plans: HashMap::new(), wanted: Vec::new() }
    }

    /// Fills the image after a change, whose bytes lie in `body` or in the cells' own.
    ///
    /// # Errors
    /// What `reselect.error.handling.mode=fail` ends the connector with.
    pub(super) fn fill(
        &mut self,
        layout: &TableLayout,
        origin: &Origin,
        body: &[u8],
        cells: &mut RowCells,
    ) -> Result<(), Failure> {
        let plan = self.plan(layout)?;
        self.wanted.clear();
        for Lacking { cell, null, absent } in &plan.columns {
            let lacks = |found: &Cell| (*null && found.is_null()) || (*absent && found.is_absent());
            if cells.after.get(*cell).is_some_and(lacks) {
                self.wanted.push(*cell);
            }
        }
        if self.wanted.is_empty() {
            return Ok(());
        }
        let bytes: &[u8] = if cells.patched { &cells.patch } else { body };
        let row = Row { layout, bytes, cells: &cells.after };
        let found = match &*plan.key {
            [] => Err(PipelineError::ReselectWithoutKey { table: layout.id.to_string() }.into()),
            key => self.source.reselect(&row, origin, key, &self.wanted),
        };
        match found {
            Ok(Some(values)) => {
                patch(body, cells, &self.wanted, values);
                Ok(())
            }
            Ok(None) => {
                self.failed(&layout.id, PipelineError::ReselectedRowGone { table: layout.id.to_string() }.into())
            }
            Err(failure) => self.failed(&layout.id, failure),
        }
    }

    fn failed(&self, table: &TableId, failure: Failure) -> Result<(), Failure> {
        if self.options.fails {
            return Err(failure);
        }
        tracing::warn!(
            code = %failure.code,
            reason = %failure.message,
            %table,
            columns = self.wanted.len(),
            "columns were not read again and go out as they came, as reselect.error.handling.mode says"
        );
        Ok(())
    }

    fn plan(&mut self, layout: &TableLayout) -> Result<Arc<Plan>, Failure> {
        if let Some(plan) = self.plans.get(&layout.version) {
            return Ok(plan.clone());
        }
        if self.plans.len() >= PLANS_MAXIMUM {
            self.plans.clear();
        }
        let plan = Arc::new(Plan::of(&self.options, layout)?);
        self.plans.insert(layout.version, plan.clone());
        Ok(plan)
    }
}

impl Plan {
    fn of(options: &ReselectOptions, layout: &TableLayout) -> Result<Plan, Failure> {
        // Debezium's processor does nothing to events without a key.
        if layout.key.is_empty() {
            return Ok(Plan::default());
        }
        let key = match options.by_event_key {
            true => layout.key.iter().map(|column| column.cell).collect(),
            false => layout.names.primary_key.to_vec(),
        };
        let arena = Arena::new();
        let mut columns = Vec::new();
        for column in layout.columns.iter().filter(|column| layout.key.iter().all(|key| key.cell != column.cell)) {
            let name = layout.names.columns.get(column.cell).map_or("", |column| &column.name);
            // Connect shows the default where a field that has one is null.
            let null = options.nulls && column.schema.default.is_none();
            // A type without a placeholder is null where its value did not come.
            let placeholder = !matches!(column.codec.absent_in(&arena), ValueRef::Null);
            let absent = if placeholder { options.unavailable } else { null };
            let name = format!("{}:{name}", layout.id);
            let too_costly = |_| PipelineError::ReselectFilter { column: name.clone() };
            if (null || absent) && options.columns.accepts(&name).map_err(too_costly)? {
                columns.push(Lacking { cell: column.cell, null, absent });
            }
        }
        Ok(Plan { key, columns })
    }
}

/// Puts values behind the image and points its cells there.
fn patch(body: &[u8], cells: &mut RowCells, wanted: &[usize], values: Vec<Option<Vec<u8>>>) {
    if !cells.patched {
        cells.patch.clear();
        cells.patch.extend_from_slice(body);
        cells.patched = true;
    }
    for (place, value) in wanted.iter().zip(values) {
        let Some(cell) = cells.after.get_mut(*place) else { continue };
        *cell = Cell::NULL;
        if let Some(value) = value
            && let (Ok(offset), Ok(length)) = (u32::try_from(cells.patch.len()), u32::try_from(value.len()))
        {
            *cell = Cell { offset, length };
            cells.patch.extend_from_slice(&value);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use std::sync::Mutex;

    use super::*;
    use crate::model::change::PostgresOrigin;
    use crate::model::row::{Codec, ColumnLayout, ColumnName, TableNames};
    use crate::model::schema::{Kind, Schema};
    use crate::model::value::{StructView, Value, ValueError};
    use crate::source::postgres::error::PostgresError;

    #[derive(Debug)]
    struct Text;

    impl Codec for Text {
        fn decode<'a>(&'a self, cell: &'a [u8], _: &'a Arena) -> Result<ValueRef<'a>, ValueError> {
            Ok(ValueRef::String(std::str::from_utf8(cell).unwrap()))
        }
        fn absent(&self) -> ValueRef<'_> {
            ValueRef::String("unavailable")
        }
    }

    /// What is asked for of rows, and what comes.
    type Asked = Arc<Mutex<Vec<(Vec<usize>, Vec<usize>)>>>;

    enum Answers {
        Rows,
        Nothing,
        Fails,
    }

    struct Scripted(Asked, Answers);

    impl Reselect for Scripted {
        fn reselect(
            &mut self,
            _: &Row<'_>,
            _: &Origin,
            key: &[usize],
            wanted: &[usize],
        ) -> Result<Option<Vec<Option<Vec<u8>>>>, Failure> {
            self.0.lock().unwrap().push((key.to_vec(), wanted.to_vec()));
            match self.1 {
                Answers::Rows => Ok(Some(wanted.iter().map(|at| Some(format!("now {at}").into_bytes())).collect())),
                Answers::Nothing => Ok(None),
                Answers::Fails => Err(PostgresError::Ended.into()),
            }
        }
    }

    fn column(cell: usize, default: Option<Value>) -> ColumnLayout {
        let schema = Arc::new(Schema { default, ..Schema::new(Kind::String).optional() });
        ColumnLayout { name: format!("c{cell}").into(), schema, cell, codec: Arc::new(Text) }
    }

    /// `id, a, b, c default ''`, with the key that is given.
    fn layout(key: &[usize]) -> TableLayout {
        let default = |cell| (cell == 3).then(|| Value::text(""));
        TableLayout {
            id: TableId { catalog: "db".into(), schema: Some("public".into()), table: "t".into() },
            version: 1,
            cells: 4,
            columns: (0..4).map(|cell| column(cell, default(cell))).collect(),
            key: key.iter().map(|cell| column(*cell, None)).collect(),
            names: TableNames {
                columns: ["id", "a", "b", "c"].map(|name| ColumnName { name: name.into(), sql: None }).into(),
                primary_key: if key == [0] { [0].into() } else { Box::default() },
            },
        }
    }

    fn options(change: impl FnOnce(&mut ReselectOptions)) -> ReselectOptions {
        let mut options = ReselectOptions {
            columns: Default::default(),
            unavailable: true,
            nulls: true,
            by_event_key: false,
            fails: false,
        };
        change(&mut options);
        options
    }

    /// What becomes of the row `1, …` with these cells; and what was asked for.
    fn check(options: ReselectOptions, key: &[usize], cells: [Cell; 3], answers: Answers) -> (String, String) {
        let (asked, answers) = (Asked::default(), Mutex::new(Some(answers)));
        let source = asked.clone();
        let open = move || -> Box<dyn Reselect> {
            Box::new(Scripted(source.clone(), answers.lock().unwrap().take().unwrap()))
        };
        let mut reselector = Reselector::new(&Reselection { options: Arc::new(options), open: Arc::new(open) });
        let (layout, body) = (layout(key), b"1");
        let [a, b, c] = cells;
        let mut cells = RowCells { after: vec![Cell { offset: 0, length: 1 }, a, b, c], ..RowCells::default() };
        let origin = Origin::Postgres(PostgresOrigin {
            lsn: 1,
            last_commit_lsn: None,
            transaction_id: None,
            xmin: None,
            timestamp_us: 0,
            replication_origin: None,
        });
        let filled = reselector.fill(&layout, &origin, body, &mut cells);
        let bytes: &[u8] = if cells.patched { &cells.patch } else { body };
        let (row, arena) = (Row { layout: &layout, bytes, cells: &cells.after }, Arena::new());
        let text = |at| {
            let ValueRef::String(text) = row.field(at, &arena).unwrap() else { return "null".to_owned() };
            text.to_owned()
        };
        let row = match filled {
            Ok(()) => (0..4).map(text).collect::<Vec<_>>().join(", "),
            Err(failure) => format!("HW{:04}", failure.code.number),
        };
        let asked = asked.lock().unwrap().iter().map(|asked| format!("{asked:?}")).collect::<String>();
        (row, asked)
    }

    const WHOLE: Cell = Cell { offset: 0, length: 1 };

    #[test]
    fn what_a_row_lacks_is_filled_as_the_options_say() {
        let (null, absent) = (Cell::NULL, Cell::ABSENT);
        let all = || options(|_| {});
        let check = |options, key: &[usize], cells, row: &str, asked: &str| {
            assert_eq!(check(options, key, cells, Answers::Rows), (row.to_owned(), asked.to_owned()));
        };
        check(all(), &[0], [WHOLE; 3], "1, 1, 1, 1", "");
        check(all(), &[0], [null, absent, absent], "1, now 1, now 2, now 3", "([0], [1, 2, 3])");
        // A field with a default is never null to Connect.
        check(all(), &[0], [null, WHOLE, null], "1, now 1, 1, null", "([0], [1])");
        check(options(|o| o.nulls = false), &[0], [null, absent, WHOLE], "1, null, now 2, 1", "([0], [2])");
        check(
            options(|o| o.unavailable = false),
            &[0],
            [null, absent, WHOLE],
            "1, now 1, unavailable, 1",
            "([0], [1])",
        );
        let named = options(|o| o.columns.include = crate::util::java_regex::RegexList::parse("public.t:B").ok());
        check(named, &[0], [null, absent, WHOLE], "1, null, now 2, 1", "([0], [2])");
        // By the key of the event, whose own columns stay as they are.
        check(options(|o| o.by_event_key = true), &[0, 1], [null, absent, WHOLE], "1, null, now 2, 1", "([0, 1], [2])");
        check(all(), &[], [null, absent, WHOLE], "1, null, unavailable, 1", "");
    }

    #[test]
    fn a_row_that_cannot_be_read_again_goes_out_as_it_came_or_ends_the_connector() {
        let cells = [Cell::NULL, Cell::ABSENT, WHOLE];
        let as_it_came = "1, null, unavailable, 1";
        for (key, answers, code) in [
            (&[0][..], (|| Answers::Nothing) as fn() -> Answers, "HW0906"),
            (&[0], || Answers::Fails, "HW1415"),
            (&[1], || Answers::Rows, "HW0907"),
        ] {
            assert_eq!(check(options(|_| {}), key, cells, answers()).0, as_it_came, "{code}");
            assert_eq!(check(options(|o| o.fails = true), key, cells, answers()).0, code);
        }
    }
}
