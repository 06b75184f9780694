//! `io.debezium.transforms.HeaderToValue`: headers as fields of the value, moved there or copied.
//!
//! In: records whose value is a struct. Out: the value with a field for each header that is there, behind its own or in
//! a struct within it (`after.name`); a field that is there already takes the header's value. Promised: schemas and values of
//! Debezium 3.6 for a record by itself; the value stays where it lies, and a schema is made once. Records without any of
//! the headers, and tombstones, pass. Nothing here survives a crash.
//!
//! Differences: Debezium keeps the schema that the first record of a table gave, and fails later where other headers come; here
//! each set of headers has its schema. A path of which more than the first struct is missing is an error here, and loses its
//! value there.

use std::sync::Arc;

use super::overlaid::Overlaid;
use super::structs::{unusable, with_fields};
use crate::model::record::{Header, Record, Typed};
use crate::model::schema::{Field, Kind, Schema};
use crate::model::value::{Arena, Fields, StructView, ValueRef};
use crate::transform::memo::Memo;
use crate::transform::{Target, Transform, TransformError, TransformSpec, required};
use crate::util::class_options::{BadOption, ClassOption, Options};

/// The transform that makes fields of headers.
pub static SPEC: TransformSpec = TransformSpec {
    name: "HeaderToValue",
    aliases: &["io.debezium.transforms.HeaderToValue"],
    about: "Moves or copies headers to fields of the value",
    targets: &[Target::Record],
    options: &[&[
        ClassOption::new("headers", "", "the headers' names; required"),
        ClassOption::new("fields", "", "the fields' names, as many; a dot leads into a struct; required"),
        ClassOption::new("operation", "", "move takes the headers away, copy leaves them; required"),
    ]],
    build,
};

struct HeaderToValue {
    headers: Vec<String>,
    /// For each header the path of its field.
    fields: Vec<Vec<String>>,
    moves: bool,
    /// By the addresses of the schemas of value and headers, which the entry keeps alive.
    plans: Memo<String, Plan>,
}

/// What is made for a value's schema and the headers that came with it.
struct Plan {
    level: Level,
    _headers: Vec<Arc<Schema>>,
}

/// A header's value on its way to a field.
struct Entry<'e> {
    /// Its place among the headers that were found.
    place: usize,
    path: &'e [String],
    schema: &'e Arc<Schema>,
}

/// One struct with what goes into it.
struct Level {
    schema: Arc<Schema>,
    old: Arc<Schema>,
    /// By places in the new struct.
    over: Vec<(usize, Over)>,
}

enum Over {
    /// A header's value.
    Header(usize),
    /// A struct that was there, with what goes into it.
    Inside(Level),
    /// A struct that was not there, of headers' values.
    Made(Vec<usize>),
}

fn build(options: &Options<'_>, _: Target) -> Result<Box<dyn Transform>, TransformError> {
    let (headers, fields) = (options.list("headers"), options.list("fields"));
    for (name, list) in [("headers", &headers), ("fields", &fields)] {
        if list.is_empty() {
            return Err(TransformError::unset(name));
        }
        if let Some(blank) = list.iter().find(|entry| entry.contains(char::is_whitespace)) {
            return Err(TransformError::Options { reason: format!("{name}: '{blank}' has a blank in it") });
        }
    }
    if headers.len() != fields.len() {
        let reason = format!("headers has {} names, and fields {}", headers.len(), fields.len());
        return Err(TransformError::Options { reason });
    }
    let moves = match required(options, "operation")? {
        value if value.eq_ignore_ascii_case("move") => true,
        value if value.eq_ignore_ascii_case("copy") => false,
        value => {
            return Err(BadOption { option: "operation", value: value.to_owned(), expected: "move or copy" }.into());
        }
    };
    let headers = headers.into_iter().map(str::to_owned).collect();
    let fields = fields.into_iter().map(|path| path.split('.').map(str::to_owned).collect()).collect();
    Ok(Box::new(HeaderToValue { headers, fields, moves, plans: Memo::default() }))
}

impl Level {
    /// # Errors
    /// When a path leads into what is no struct, or a header does not fit the field that is there.
    fn of(old: &Arc<Schema>, entries: &[Entry<'_>], is_root: bool) -> Result<Level, TransformError> {
        let mut level = Level { schema: old.clone(), old: old.clone(), over: Vec::new() };
        let mut fields = old.fields().to_vec();
        for entry in entries {
            if let [name] = entry.path {
                level.put(&mut fields, name, entry)?;
            }
        }
        for (index, entry) in entries.iter().enumerate() {
            let [name, _, ..] = entry.path else { continue };
            let same = |other: &&Entry<'_>| other.path.len() > 1 && other.path.first() == Some(name);
            if entries.iter().take(index).any(|other| same(&other)) {
                continue;
            }
            let inner: Vec<Entry<'_>> = entries.iter().filter(same).map(Entry::inner).collect();
            match fields.iter().position(|field| *field.name == **name) {
                Some(place) => {
                    let Some(field) = fields.get_mut(place) else { continue };
                    if !matches!(field.schema.kind, Kind::Struct(_)) {
                        let is = field.schema.type_name();
                        return Err(unusable(format!(
                            "field '{name}' is not a struct but {is}: nothing can be put in it"
                        )));
                    }
                    let inside = Level::of(&field.schema, &inner, false)?;
                    field.schema = inside.schema.clone();
                    level.over.push((place, Over::Inside(inside)));
                }
                None => {
                    if !is_root || inner.iter().any(|entry| entry.path.len() > 1) {
                        return Err(unusable(format!("there is no struct '{name}' to put a field in")));
                    }
                    let made =
                        |entry: &Entry<'_>| entry.path.first().map(|name| Field::new(name, entry.schema.clone()));
                    let empty = Schema::new(Kind::Struct(Vec::new()));
                    let made = with_fields(&empty, inner.iter().filter_map(made).collect())?.optional();
                    level.over.push((fields.len(), Over::Made(inner.iter().map(|entry| entry.place).collect())));
                    fields.push(Field::new(name, made));
                }
            }
        }
        level.schema = Arc::new(with_fields(old, fields)?);
        Ok(level)
    }

    /// A header's value, into a field that is there or behind all others.
    fn put(&mut self, fields: &mut Vec<Field>, name: &str, entry: &Entry<'_>) -> Result<(), TransformError> {
        let place = fields.iter().position(|field| *field.name == *name).unwrap_or(fields.len());
        match fields.get(place) {
            Some(field) if field.schema.kind != entry.schema.kind => {
                let (is, header) = (field.schema.type_name(), entry.schema.type_name());
                return Err(unusable(format!("field '{name}' is of type {is}, and the header for it is {header}")));
            }
            Some(_) => {}
            None => fields.push(Field::new(name, entry.schema.clone())),
        }
        // Of several headers of a name the last counts.
        self.over.retain(|(other, _)| *other != place);
        self.over.push((place, Over::Header(entry.place)));
        Ok(())
    }

    fn view<'a>(
        &'a self,
        base: &'a dyn StructView,
        values: &'a [ValueRef<'a>],
        arena: &'a Arena,
    ) -> Result<ValueRef<'a>, TransformError> {
        let value = |place: &usize| values.get(*place).copied().unwrap_or(ValueRef::Null);
        let mut over = bumpalo::collections::Vec::with_capacity_in(self.over.len(), arena);
        for (place, what) in &self.over {
            over.push((
                *place,
                match what {
                    Over::Header(header) => value(header),
                    Over::Made(headers) => {
                        let made = bumpalo::collections::Vec::from_iter_in(headers.iter().map(value), arena);
                        ValueRef::Struct(arena.alloc(Fields(made.into_bump_slice())))
                    }
                    Over::Inside(level) => {
                        let ValueRef::Struct(inner) = base.field(*place, arena)? else {
                            let name = self.old.fields().get(*place).map_or("", |field| &*field.name);
                            return Err(unusable(format!("'{name}' is null, and a header goes into it")));
                        };
                        level.view(inner, values, arena)?
                    }
                },
            ));
        }
        let over = over.into_bump_slice();
        Ok(ValueRef::Struct(arena.alloc(Overlaid { base, defaults: Some(&self.old), over })))
    }
}

impl<'e> Entry<'e> {
    /// The same, seen from within the first struct of its path.
    fn inner(&self) -> Entry<'e> {
        Entry { place: self.place, path: self.path.get(1..).unwrap_or_default(), schema: self.schema }
    }
}

impl HeaderToValue {
    fn path(&self, header: &Header<'_>) -> Option<(usize, &[String])> {
        let place = self.headers.iter().position(|name| name == header.name)?;
        Some((place, self.fields.get(place)?))
    }

    fn plan(&self, schema: &Arc<Schema>, found: &[&Header<'_>]) -> Result<Plan, TransformError> {
        let (mut entries, mut headers) = (Vec::new(), vec![schema.clone()]);
        for (place, header) in found.iter().enumerate() {
            let Some(schema) = header.value.schema else {
                return Err(unusable(format!("the header {} has no schema", header.name)));
            };
            headers.push(schema.clone());
            if let Some((_, path)) = self.path(header) {
                entries.push(Entry { place, path, schema });
            }
        }
        Ok(Plan { level: Level::of(schema, &entries, true)?, _headers: headers })
    }
}

impl Transform for HeaderToValue {
    fn apply<'a>(&'a self, mut record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let (schema, view) = match (record.value.schema, record.value.value) {
            (_, ValueRef::Null) => return Ok(Some(record)),
            (Some(schema), ValueRef::Struct(view)) => (schema, view),
            (_, value) => {
                return Err(unusable(format!("headers can only be put into a struct, and this is a {value:?}")));
            }
        };
        let found = record.headers.iter().filter(|header| self.path(header).is_some());
        let found = bumpalo::collections::Vec::from_iter_in(found, arena).into_bump_slice();
        if found.is_empty() {
            return Ok(Some(record));
        }
        let mut key = bumpalo::format!(in arena, "{:x}", Arc::as_ptr(schema) as usize);
        for header in found.iter() {
            let address = header.value.schema.map_or(0, |schema| Arc::as_ptr(schema) as usize);
            let place = self.path(header).map_or(0, |(place, _)| place);
            key.push_str(&bumpalo::format!(in arena, " {place} {:x}", address));
        }
        let plan = self.plans.get(key.as_str(), || self.plan(schema, found))?;
        let values = found.iter().map(|header| header.value.value);
        let values = bumpalo::collections::Vec::from_iter_in(values, arena).into_bump_slice();
        record.value = Typed { schema: Some(&plan.level.schema), value: plan.level.view(view, values, arena)? };
        if self.moves {
            let left = record.headers.iter().copied().filter(|header| self.path(header).is_none());
            record.headers = bumpalo::collections::Vec::from_iter_in(left, arena).into_bump_slice();
        }
        Ok(Some(record))
    }

    fn wants_header(&self, name: &str) -> bool {
        self.headers.iter().any(|header| header == name)
    }

    fn rest(&mut self) {
        self.plans.rest();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use crate::model::value::Value;

    /// Headers, fields and the operation, beside what comes out without topic and key.
    #[track_caller]
    fn check(options: [&str; 3], samples: &[Sample], expected: &str) {
        let config = [
            ("transforms", "h"),
            ("transforms.h.type", "io.debezium.transforms.HeaderToValue"),
            ("transforms.h.headers", options[0]),
            ("transforms.h.fields", options[1]),
            ("transforms.h.operation", options[2]),
        ];
        let out = run(&config, samples);
        let lines: Vec<&str> =
            out.lines().filter(|line| !line.starts_with("topic ") && !line.starts_with("key ")).collect();
        assert_eq!(lines.join("\n"), expected);
    }

    fn flat() -> Sample {
        let (schema, value) = structure(&[
            ("id", int(), Value::Int32(1)),
            ("note", text().optional().default_value(t("-")), Value::Null),
        ]);
        Sample::of(schema.optional().named("a.Value").version(3), value)
    }

    fn with_header(sample: Sample) -> Sample {
        sample.header("h1", text(), t("x")).header("h2", long().optional(), Value::Int64(5))
    }

    fn nested(after: Value) -> Sample {
        let row = structure(&[("id", int(), Value::Null)]).0.optional().named("a.Row");
        let (schema, value) = structure(&[("after", row, after), ("op", text(), t("c"))]);
        with_header(Sample::of(schema.named("a.Envelope"), value))
    }

    const HEADERS: &str = "\nheader h1 string 'x'\nheader h2 int64? 5";

    #[test]
    fn headers_become_fields() {
        let both = "value {id int32, note string?='-', a string, b int64?}(a.Value v3) {1, '-', 'x', 5}";
        check(["h1,h2", "a,b", "move"], &[with_header(flat())], both);
        check(["h1,h2", "a,b", "COPY"], &[with_header(flat())], &format!("{both}{HEADERS}"));
        let one = "value {id int32, note string?='-', b int64?}(a.Value v3) {1, '-', 5}\nheader h1 string 'x'";
        check(["none,h2", "a,b", "move"], &[with_header(flat())], one);
        // Each set of headers has its schema.
        let first = flat().header("h1", text(), t("y"));
        let short = "value {id int32, note string?='-', a string}(a.Value v3) {1, '-', 'y'}";
        check(["h1,h2", "a,b", "move"], &[first, with_header(flat())], &format!("{short}\n{both}"));
        // A field that is there, and a header that is there twice.
        let twice = flat().header("h1", text(), t("x")).header("h1", text(), t("y"));
        check(["h1", "note", "move"], &[twice], "value {id int32, note string?='-'}(a.Value v3) {1, 'y'}");
    }

    #[test]
    fn a_path_leads_into_structs() {
        let row = || Value::Struct(vec![Value::Int32(1)]);
        let inside = "value {after {id int32, a string, b int64?}(a.Row), op string}(a.Envelope) {{1, 'x', 5}, 'c'}";
        check(["h1,h2", "after.a,after.b", "move"], &[nested(row())], inside);
        let mixed = "value {after {id int32, a string}(a.Row), op string, b int64?}(a.Envelope) {{1, 'x'}, 'c', 5}";
        check(["h1,h2", "after.a,b", "move"], &[nested(row())], mixed);
        let made =
            "value {after {id int32}?(a.Row), op string, m {a string, b int64?}?}(a.Envelope) {{1}, 'c', {'x', 5}}";
        check(["h1,h2", "m.a,m.b", "move"], &[nested(row())], made);
        let error = |reason: &str| format!("HW1003 transform h: {reason}");
        check(["h1", "after.a", "move"], &[nested(Value::Null)], &error("'after' is null, and a header goes into it"));
        let no_struct = error("field 'op' is not a struct but string: nothing can be put in it");
        check(["h1", "op.a", "move"], &[nested(row())], &no_struct);
        check(["h1", "x.y.z", "move"], &[nested(row())], &error("there is no struct 'x' to put a field in"));
        check(["h1", "after.y.z", "move"], &[nested(row())], &error("there is no struct 'y' to put a field in"));
        let unlike = error("field 'op' is of type string, and the header for it is int64");
        check(["h2", "op", "move"], &[nested(row())], &unlike);
    }

    #[test]
    fn records_without_the_headers_pass() {
        check(["h1", "a", "move"], &[flat(), Sample::tombstone()], "passed\npassed");
        let scalar = "HW1003 transform h: headers can only be put into a struct, and this is a string";
        check(["h1", "a", "move"], &[Sample::of(text(), t("x"))], scalar);
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let refused = |reason: &str| format!("refused: transform h: {reason}");
        check(["", "a", "move"], &[], &refused("headers is not set"));
        check(["h", "", "move"], &[], &refused("fields is not set"));
        check(["h", "a,b", "move"], &[], &refused("headers has 1 names, and fields 2"));
        check(["h", "a b", "move"], &[], &refused("fields: 'a b' has a blank in it"));
        check(["h", "a", ""], &[], &refused("operation is not set"));
        check(["h", "a", "cut"], &[], &refused("operation=cut is not move or copy"));
    }
}
