//! Expressions in the Common Expression Language, computed by the `cel` crate.
//!
//! In: the text once, then a record at a time. Out: true, false, text, null. Promised: of a record only the fields that
//! the expression names are decoded and handed over, because the crate's values must be owned. A struct is a map; a
//! decimal is the double that is nearest; times and dates are the whole numbers of their schemas. Variables and functions
//! that do not exist are refused at start. Nothing here survives a crash.
//!
//! Source: the language definition at cel.dev.

use std::collections::HashMap;
use std::sync::Arc;

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, operators};
use cel::objects::{Key, Map};
use cel::{Context, Env, ExecutionError, IdedExpr, Program, Value};

use super::syntax::Variable;
use super::{Answer, Refusal};
use crate::model::record::{Header, Record, Typed};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, ValueError, ValueRef};
use crate::transform::TransformError;
use crate::util::java_text::Logical;

use super::decimal::DecimalRef;

/// Longest expression that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// Deepest nesting of brackets that is handed to the crate's parser, which goes down a level for each.
const DEEPEST: usize = 48;

/// Operators and properties that an expression may have: the crate goes down a level for each of a chain (`1 + 1 + ...`)
/// and ends the process at some 1,000 on a stack of 2 MiB.
const MOST_OPERATORS: usize = 600;

/// Macros within one another: each goes through a list for each element of the one around it.
const DEEPEST_MACRO: usize = 4;

/// Names that stand for types.
const TYPES: &[&str] = &["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type", "dyn"];

/// Functions of the language; `duration` and `timestamp` and what belongs to them are not built in.
const FUNCTIONS: &[&str] = &[
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "bool",
    "type",
    "dyn",
    "min",
    "max",
];

/// An expression that has been read.
pub struct Cel {
    program: Program,
    environment: Arc<Env>,
    /// What it names, beneath each variable.
    wanted: Vec<(Variable, Wanted)>,
}

/// A field that is named, and those of its fields that are.
#[derive(Debug, Default)]
struct Wanted {
    name: String,
    /// All of it, whatever it is.
    whole: bool,
    fields: Vec<Wanted>,
}

impl Wanted {
    fn field(&mut self, name: &str) -> &mut Wanted {
        let place = self.fields.iter().position(|field| field.name == name).unwrap_or(self.fields.len());
        if place == self.fields.len() {
            self.fields.push(Wanted { name: name.to_owned(), ..Wanted::default() });
        }
        &mut self.fields[place]
    }
}

/// Reads an expression.
pub fn read(text: &str) -> Result<Cel, Refusal> {
    check_size(text)?;
    let environment = Env::stdlib();
    let program = environment.compile(text).map_err(|errors| match errors.errors.first() {
        Some(error) => Refusal::new(place(text, error.pos), error.msg.clone()),
        None => Refusal::new(0, "this is not an expression"),
    })?;
    let mut names = Names { program: &program, text, bound: Vec::new(), macros: 0, wanted: Vec::new() };
    names.visit(program.expression())?;
    let wanted = names.wanted;
    Ok(Cel { program, environment: Arc::new(environment), wanted })
}

fn check_size(text: &str) -> Result<(), Refusal> {
    if text.len() > LONGEST {
        return Err(Refusal::new(0, "the expression is longer than 64 KiB"));
    }
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(Refusal::new(at, "the expression is nested deeper than 48 levels"));
        }
    }
    match operators(text).nth(MOST_OPERATORS) {
        Some(at) => {
            Err(Refusal::new(at, "the expression has more than 600 operators and properties; x in ['a', 'b'] is one"))
        }
        None => Ok(()),
    }
}

/// Where operators and properties stand, `&&` and `||` aside, which the crate does not go down for. What is in quotes
/// may count too.
fn operators(text: &str) -> impl Iterator<Item = usize> + '_ {
    let bytes = text.as_bytes();
    let symbol = |byte: &u8| b"+-*/%<>=!.[?".contains(byte);
    let at = move |at: usize| bytes.get(at).copied().unwrap_or(b' ');
    (0..bytes.len()).filter(move |place| {
        let before = place.checked_sub(1).map_or(b' ', at);
        // `<=` is one; `--` and `!!` are two.
        let second = at(*place) == b'=' && symbol(&before);
        let word = bytes.get(*place..).is_some_and(|rest| rest.starts_with(b"in"))
            && !before.is_ascii_alphanumeric()
            && !at(place + 2).is_ascii_alphanumeric();
        (symbol(&at(*place)) && !second) || word
    })
}

/// A line and a column, both from 1, as a place in bytes.
fn place(text: &str, (line, column): (isize, isize)) -> usize {
    let (line, column) = (usize::try_from(line).unwrap_or(1), usize::try_from(column).unwrap_or(1));
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(before..).unwrap_or_default();
    before + rest.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum::<usize>()
}

/// Finds out what an expression names.
struct Names<'p> {
    program: &'p Program,
    text: &'p str,
    /// Variables of macros, which may hide those of the record.
    bound: Vec<String>,
    /// Macros around the part at hand.
    macros: usize,
    wanted: Vec<(Variable, Wanted)>,
}

impl Names<'_> {
    fn refuse<T>(&self, expression: &IdedExpr, reason: String) -> Result<T, Refusal> {
        let (start, _) = self.program.source_info().offset_for(expression.id).unwrap_or_default();
        let at = self.text.chars().take(start as usize).map(char::len_utf8).sum();
        Err(Refusal::new(at, reason))
    }

    fn visit(&mut self, expression: &IdedExpr) -> Result<(), Refusal> {
        if let Some((variable, path)) = self.path(expression) {
            let mut node = self.root(variable);
            for name in path {
                node = node.field(&name);
            }
            node.whole |= !matches!(&expression.expr, Expr::Select(select) if select.test);
            return Ok(());
        }
        match &expression.expr {
            Expr::Ident(name) if self.bound.contains(name) || TYPES.contains(&name.as_str()) => Ok(()),
            Expr::Ident(name) => {
                let variables = "value, key, topic, header, valueSchema, keySchema";
                self.refuse(expression, format!("{name} is not known; the variables are {variables}"))
            }
            Expr::Select(select) => self.visit(&select.operand),
            Expr::Call(call) => self.call(expression, call),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.visit(element)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                cel::common::ast::EntryExpr::MapEntry(entry) => {
                    self.visit(&entry.key).and_then(|()| self.visit(&entry.value))
                }
                cel::common::ast::EntryExpr::StructField(field) => self.visit(&field.value),
            }),
            Expr::Struct(_) => self.refuse(expression, "messages are not translated".to_owned()),
            Expr::Literal(_) | Expr::Unspecified => Ok(()),
        }
    }

    fn call(&mut self, expression: &IdedExpr, call: &CallExpr) -> Result<(), Refusal> {
        let null = |side: &IdedExpr| matches!(side.expr, Expr::Literal(LiteralValue::Null));
        if let (operators::EQUALS | operators::NOT_EQUALS, [left, right]) =
            (call.func_name.as_str(), call.args.as_slice())
            && null(left) != null(right)
        {
            // Whether something is null can be told without what is in it.
            let other = if null(left) { right } else { left };
            if let Some((variable, path)) = self.path(other) {
                path.iter().fold(self.root(variable), |node, name| node.field(name));
                return Ok(());
            }
        }
        let named = call.func_name.starts_with(|c: char| c.is_ascii_alphabetic());
        if named && !FUNCTIONS.contains(&call.func_name.as_str()) {
            return self.refuse(expression, format!("the function {} is not built in", call.func_name));
        }
        call.target.iter().try_for_each(|target| self.visit(target))?;
        call.args.iter().try_for_each(|argument| self.visit(argument))
    }

    fn comprehension(&mut self, comprehension: &ComprehensionExpr) -> Result<(), Refusal> {
        self.visit(&comprehension.iter_range)?;
        let before = self.bound.len();
        self.macros += 1;
        if self.macros > DEEPEST_MACRO {
            return self.refuse(&comprehension.iter_range, "macros are nested deeper than 4 levels".to_owned());
        }
        let second = comprehension.iter_var2.iter();
        self.bound.extend([&comprehension.iter_var, &comprehension.accu_var].into_iter().chain(second).cloned());
        let parts =
            [&comprehension.accu_init, &comprehension.loop_cond, &comprehension.loop_step, &comprehension.result];
        parts.into_iter().try_for_each(|part| self.visit(part))?;
        self.bound.truncate(before);
        self.macros -= 1;
        Ok(())
    }

    fn root(&mut self, variable: Variable) -> &mut Wanted {
        let place = self.wanted.iter().position(|(known, _)| *known == variable).unwrap_or(self.wanted.len());
        if place == self.wanted.len() {
            self.wanted.push((variable, Wanted::default()));
        }
        &mut self.wanted[place].1
    }

    /// `value.after.id`, `value.after["id"]`, `has(value.after.id)`: the variable and the names behind it.
    fn path(&self, expression: &IdedExpr) -> Option<(Variable, Vec<String>)> {
        let (mut names, mut at) = (Vec::new(), expression);
        loop {
            if let Expr::Ident(name) = &at.expr {
                let (_, variable) = Variable::ALL.iter().find(|(known, _)| known == name)?;
                names.reverse();
                return (!self.bound.contains(name)).then_some((*variable, names));
            }
            if let Expr::Select(select) = &at.expr {
                names.push(select.field.clone());
                at = &select.operand;
                continue;
            }
            let Expr::Call(call) = &at.expr else { return None };
            let (operators::INDEX, [of, index]) = (call.func_name.as_str(), call.args.as_slice()) else { return None };
            let Expr::Literal(LiteralValue::String(name)) = &index.expr else { return None };
            names.push(name.inner().to_owned());
            at = of;
        }
    }
}

impl Cel {
    /// What it gives for a record.
    ///
    /// # Errors
    /// When the expression cannot be computed for it.
    pub fn answer<'a>(&'a self, record: &Record<'a>, arena: &'a Arena) -> Result<Answer<'a>, TransformError> {
        let mut context = Context::with_env(self.environment.clone());
        for (variable, wanted) in &self.wanted {
            let value = match variable {
                Variable::Key => typed(&record.key, wanted, arena)?,
                Variable::Value => typed(&record.value, wanted, arena)?,
                Variable::KeySchema => schema(record.key.schema),
                Variable::ValueSchema => schema(record.value.schema),
                Variable::Topic => text(record.topic),
                Variable::Header => headers(record.headers, wanted, arena)?,
            };
            if let Some((name, _)) = Variable::ALL.iter().find(|(_, known)| known == variable) {
                context.add_variable_from_value(*name, value);
            }
        }
        match self.program.execute(&context) {
            Ok(Value::Null) => Ok(Answer::Null),
            Ok(Value::Bool(value)) => Ok(Answer::Boolean(value)),
            Ok(Value::String(text)) => Ok(Answer::Text(arena.alloc_str(&text))),
            Ok(_) => Ok(Answer::Other("neither text nor true or false")),
            Err(error) => Err(TransformError::Record { reason: explained(&error) }),
        }
    }

    /// Whether it names this header, or all of them.
    pub fn wants_header(&self, name: &str) -> bool {
        self.wanted.iter().any(|(variable, wanted)| {
            *variable == Variable::Header && (wanted.whole || wanted.fields.iter().any(|field| field.name == name))
        })
    }
}

/// What went wrong, without the values that the crate's own messages have.
fn explained(error: &ExecutionError) -> String {
    if let ExecutionError::NoSuchOverload(error) = error {
        // Names the types.
        return error.to_string();
    }
    let what = if matches!(error, ExecutionError::NoSuchKey(_)) {
        "a field is not there"
    } else if matches!(error, ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_)) {
        "division by zero"
    } else if matches!(error, ExecutionError::Overflow(_, _, _)) {
        "a whole number beyond 64 bits"
    } else {
        "the expression cannot be computed for this record"
    };
    what.to_owned()
}

fn text(text: &str) -> Value {
    Value::String(Arc::new(text.to_owned()))
}

fn map(entries: HashMap<Key, Value>) -> Value {
    Value::Map(Map { map: Arc::new(entries) })
}

fn schema(schema: Option<&Arc<Schema>>) -> Value {
    let Some(schema) = schema else { return Value::Null };
    let name = schema.name.as_deref().map_or(Value::Null, text);
    let version = schema.version.map_or(Value::Null, |version| Value::Int(i64::from(version)));
    let entries = [("name", name), ("version", version)];
    map(entries.into_iter().map(|(name, value)| (Key::from(name), value)).collect())
}

/// Every header that is named; of several with one name the last.
fn headers(headers: &[Header<'_>], wanted: &Wanted, arena: &Arena) -> Result<Value, ValueError> {
    let mut entries = HashMap::new();
    for header in headers {
        let named = wanted.fields.iter().find(|field| field.name == header.name);
        if named.is_none() && !wanted.whole {
            continue;
        }
        let all = Wanted { whole: true, ..Wanted::default() };
        let value = named.and_then(|named| named.fields.iter().find(|field| field.name == "value"));
        let value = typed(&header.value, value.unwrap_or(&all), arena)?;
        entries.insert(Key::from(header.name), map(HashMap::from([(Key::from("value"), value)])));
    }
    Ok(map(entries))
}

fn typed(part: &Typed<'_>, wanted: &Wanted, arena: &Arena) -> Result<Value, ValueError> {
    match part.schema {
        Some(schema) => convert(&part.value, schema, wanted, arena),
        None => Ok(Value::Null),
    }
}

fn convert(value: &ValueRef<'_>, schema: &Schema, wanted: &Wanted, arena: &Arena) -> Result<Value, ValueError> {
    if let Some(Logical::Decimal(unscaled, scale)) = Logical::read(schema, value) {
        return Ok(Value::Float(DecimalRef { unscaled, scale }.double()));
    }
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Boolean(value) => Value::Bool(*value),
        ValueRef::Int8(value) => Value::Int(i64::from(*value)),
        ValueRef::Int16(value) => Value::Int(i64::from(*value)),
        ValueRef::Int32(value) => Value::Int(i64::from(*value)),
        ValueRef::Int64(value) => Value::Int(*value),
        ValueRef::Float32(value) => Value::Float(f64::from(*value)),
        ValueRef::Float64(value) => Value::Float(*value),
        ValueRef::String(value) => text(value),
        ValueRef::Bytes(value) => Value::Bytes(Arc::new(value.to_vec())),
        ValueRef::Array(items) => {
            let Kind::Array(item) = &schema.kind else { return Err(ValueError::Shape) };
            let all = Wanted { whole: true, ..Wanted::default() };
            let items = items.iter().map(|value| convert(value, item, &all, arena)).collect::<Result<Vec<_>, _>>()?;
            Value::List(Arc::new(items))
        }
        ValueRef::Map(entries) => {
            let Kind::Map(_, values) = &schema.kind else { return Err(ValueError::Shape) };
            let all = Wanted { whole: true, ..Wanted::default() };
            let mut converted = HashMap::new();
            for (key, value) in *entries {
                if let ValueRef::String(key) = key {
                    converted.insert(Key::from(*key), convert(value, values, &all, arena)?);
                }
            }
            map(converted)
        }
        ValueRef::Struct(view) => {
            let mut entries = HashMap::new();
            let all = Wanted { whole: true, ..Wanted::default() };
            for (index, field) in schema.fields().iter().enumerate() {
                let named = wanted.fields.iter().find(|wanted| *wanted.name == *field.name);
                let named = if wanted.whole { Some(&all) } else { named };
                if let Some(named) = named {
                    let value = view.field(index, arena)?.or_default(&field.schema, arena);
                    entries.insert(Key::from(&*field.name), convert(&value, &field.schema, named, arena)?);
                }
            }
            map(entries)
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Each is refused with a reason or read, on a stack as small as the threads' own.
    #[track_caller]
    fn check(text: String, expected: Option<&str>) {
        let read = move || read(&text).err().map(|refusal| refusal.reason);
        let refused = std::thread::Builder::new().stack_size(2 << 20).spawn(read).unwrap().join().unwrap();
        assert_eq!(refused.as_deref(), expected);
    }

    #[test]
    fn no_expression_is_too_deep_for_the_stack() {
        let many = Some("the expression has more than 600 operators and properties; x in ['a', 'b'] is one");
        for chain in ["1 + ", "1 in ", "1 == ", "!", "- ", "true ? ", "a."] {
            check(format!("{}1", chain.repeat(9_000)), many);
        }
        check(format!("value{}", ".a".repeat(10_000)), many);
        check(format!("[1]{}", "[0]".repeat(10_000)), many);
        check("(".repeat(10_000), Some("the expression is nested deeper than 48 levels"));
        check(format!("1{} == 1", " + 1".repeat(590)), None);
        check(format!("topic in [{}'b']", "'a', ".repeat(10_000)), None);
        check(format!("{}value.op == 'b'", "value.op == 'a' || ".repeat(290)), None);
        let nested = |levels: usize| format!("{}1{} != []", "[1].map(x, ".repeat(levels), ")".repeat(levels));
        check(nested(4), None);
        check(nested(5), Some("macros are nested deeper than 4 levels"));
    }
}
