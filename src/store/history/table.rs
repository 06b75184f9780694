//! `tableChanges` of a history record: tables and columns, to and from Debezium's JSON.
//!
//! Fields, order and nulls are those of Debezium's `JsonTableChangeSerializer`; identifiers are quoted and
//! parsed as its `TableId.toDoubleQuotedString` and `TableIdParser` do.

use serde_json::{Map, Value, json};

use crate::model::table::{Column, Table, TableChange, TableChangeKind, TableId};

type Fields = Map<String, Value>;

/// One change, as Debezium writes it.
pub(super) fn change_to_json(change: &TableChange) -> Value {
    let mut out = Fields::new();
    let kind = match change.kind {
        TableChangeKind::Create => "CREATE",
        TableChangeKind::Alter => "ALTER",
        TableChangeKind::Drop => "DROP",
    };
    out.insert("type".into(), kind.into());
    out.insert("id".into(), quoted(&change.id).into());
    if let Some(previous) = &change.previous_id {
        out.insert("previousId".into(), quoted(previous).into());
    }
    if let Some(table) = &change.table {
        out.insert("table".into(), table_to_json(table));
        out.insert("comment".into(), json!(table.comment));
    }
    Value::Object(out)
}

fn table_to_json(table: &Table) -> Value {
    json!({
        "defaultCharsetName": table.default_charset_name,
        "primaryKeyColumnNames": table.primary_key,
        "columns": table.columns.iter().map(column_to_json).collect::<Vec<_>>(),
        "attributes": [],
    })
}

fn column_to_json(column: &Column) -> Value {
    let mut out = Fields::new();
    out.insert("name".into(), json!(column.name));
    out.insert("jdbcType".into(), json!(column.jdbc_type));
    if let Some(native) = column.native_type {
        out.insert("nativeType".into(), json!(native));
    }
    out.insert("typeName".into(), json!(column.type_name));
    out.insert("typeExpression".into(), json!(column.type_expression));
    out.insert("charsetName".into(), json!(column.charset_name));
    if let Some(length) = column.length {
        out.insert("length".into(), json!(length));
    }
    if let Some(scale) = column.scale {
        out.insert("scale".into(), json!(scale));
    }
    out.insert("position".into(), json!(column.position));
    out.insert("optional".into(), json!(column.optional));
    out.insert("autoIncremented".into(), json!(column.auto_incremented));
    out.insert("generated".into(), json!(column.generated));
    out.insert("comment".into(), json!(column.comment));
    out.insert("hasDefaultValue".into(), json!(column.has_default_value));
    if let Some(expression) = &column.default_value_expression {
        out.insert("defaultValueExpression".into(), json!(expression));
    }
    out.insert("enumValues".into(), column.enum_values.iter().map(|value| literal(value)).collect());
    Value::Object(out)
}

/// Reads one change; the error is in words.
pub(super) fn change_from_json(value: &Value) -> Result<TableChange, String> {
    let kind = match text(value, "type")?.as_deref() {
        Some("CREATE") => TableChangeKind::Create,
        Some("ALTER") => TableChangeKind::Alter,
        Some("DROP") => TableChangeKind::Drop,
        Some(other) => return Err(format!("tableChanges: type {other} is none of CREATE, ALTER, DROP")),
        None => return Err("tableChanges: type is missing".to_owned()),
    };
    let id = table_id(&text(value, "id")?.ok_or("tableChanges: id is missing")?)?;
    let previous_id = text(value, "previousId")?.map(|id| table_id(&id)).transpose()?;
    let table = match value.get("table") {
        _ if kind == TableChangeKind::Drop => None,
        None | Some(Value::Null) => return Err(format!("tableChanges: {id} has no table")),
        Some(table) => {
            // Debezium writes the table's comment beside the table, and looks for it inside.
            let comment = text(value, "comment")?.or(text(table, "comment")?);
            Some(table_from_json(&id, table, comment).map_err(|problem| format!("tableChanges: {id}: {problem}"))?)
        }
    };
    Ok(TableChange { kind, id, previous_id, table })
}

fn table_from_json(id: &TableId, value: &Value, comment: Option<String>) -> Result<Table, String> {
    let columns = list(value, "columns")?.ok_or("columns is missing")?;
    let columns = columns.iter().map(column_from_json).collect::<Result<Vec<_>, _>>()?;
    let primary_key = texts(value, "primaryKeyColumnNames")?;
    let default_charset_name = text(value, "defaultCharsetName")?;
    Ok(Table { id: id.clone(), columns, primary_key, default_charset_name, comment })
}

fn column_from_json(value: &Value) -> Result<Column, String> {
    let name = text(value, "name")?.ok_or("a column has no name")?;
    let of = |problem: String| format!("column {name}: {problem}");
    let missing = |field: &str| format!("column {name}: {field} is missing");
    let default_value_expression = text(value, "defaultValueExpression").map_err(of)?;
    Ok(Column {
        position: integer(value, "position").map_err(of)?.ok_or_else(|| missing("position"))?,
        jdbc_type: integer(value, "jdbcType").map_err(of)?.ok_or_else(|| missing("jdbcType"))?,
        native_type: integer(value, "nativeType").map_err(of)?,
        type_name: text(value, "typeName").map_err(of)?.ok_or_else(|| missing("typeName"))?,
        type_expression: text(value, "typeExpression").map_err(of)?,
        charset_name: text(value, "charsetName").map_err(of)?,
        length: integer(value, "length").map_err(of)?,
        scale: integer(value, "scale").map_err(of)?,
        optional: flag(value, "optional").map_err(of)?,
        auto_incremented: flag(value, "autoIncremented").map_err(of)?,
        generated: flag(value, "generated").map_err(of)?,
        comment: text(value, "comment").map_err(of)?,
        // As Debezium reads it: an expression is a default, whatever the flag says.
        has_default_value: flag(value, "hasDefaultValue").map_err(of)? || default_value_expression.is_some(),
        default_value_expression,
        enum_values: texts(value, "enumValues").map_err(of)?.iter().map(|value| unquoted(value)).collect(),
        name: name.clone(),
    })
}

fn text(value: &Value, name: &str) -> Result<Option<String>, String> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("{name} is no text")),
    }
}

fn integer(value: &Value, name: &str) -> Result<Option<i32>, String> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_i64().and_then(|number| i32::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(format!("{name} is no whole number of 32 bits")),
        },
    }
}

fn flag(value: &Value, name: &str) -> Result<bool, String> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(format!("{name} is neither true nor false")),
    }
}

fn list<'a>(value: &'a Value, name: &str) -> Result<Option<&'a Vec<Value>>, String> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) => Ok(Some(list)),
        Some(_) => Err(format!("{name} is no array")),
    }
}

fn texts(value: &Value, name: &str) -> Result<Vec<String>, String> {
    let values = list(value, name)?.map(Vec::as_slice).unwrap_or_default();
    let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
    texts.collect::<Option<Vec<_>>>().ok_or_else(|| format!("{name} holds something that is no text"))
}

/// A value of ENUM or SET as the literal that Debezium copies from the statement.
fn literal(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}

/// The value of a literal: without quotes, doubled quotes and MySQL's escapes. Other text is taken as it is.
fn unquoted(literal: &str) -> String {
    let within = |quote: char| Some((quote, literal.strip_prefix(quote)?.strip_suffix(quote)?));
    let Some((quote, inner)) = ['\'', '"'].into_iter().find_map(within) else {
        return literal.to_owned();
    };
    let mut value = String::with_capacity(inner.len());
    let mut marks = inner.chars();
    while let Some(mark) = marks.next() {
        if mark == quote {
            // The first of a pair: nothing else stands inside quotes.
            marks.next();
            value.push(quote);
        } else if mark == '\\' {
            value.push(match marks.next() {
                Some('0') => '\0',
                Some('b') => '\u{8}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('Z') => '\u{1a}',
                Some(other) => other,
                None => '\\',
            });
        } else {
            value.push(mark);
        }
    }
    value
}

/// `"db"."table"`; a name that is empty is left out.
fn quoted(id: &TableId) -> String {
    let names = [Some(&id.catalog), id.schema.as_ref(), Some(&id.table)];
    let names = names.into_iter().flatten().filter(|name| !name.is_empty());
    names.map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect::<Vec<_>>().join(".")
}

/// Reads `"db"."table"` or `"db"."schema"."table"`, quoted by `"`, `` ` ``, `'` or not at all.
fn table_id(text: &str) -> Result<TableId, String> {
    let mut names = Vec::new();
    let mut name = String::new();
    let mut quote: Option<char> = None;
    let mut marks = text.chars().peekable();
    while let Some(mark) = marks.next() {
        match quote {
            Some(end) if mark == end && marks.peek() == Some(&end) => {
                name.push(end);
                marks.next();
            }
            Some(end) if mark == end => quote = None,
            Some(_) => name.push(mark),
            None if matches!(mark, '"' | '`' | '\'') && name.is_empty() => quote = Some(mark),
            None if mark == '.' => names.push(std::mem::take(&mut name)),
            None => name.push(mark),
        }
    }
    if quote.is_some() {
        return Err(format!("id {text} ends inside a quoted name"));
    }
    names.push(name);
    match names.as_slice() {
        [table] => Ok(TableId::new("", table)),
        [database, table] => Ok(TableId::new(database, table)),
        [catalog, schema, table] => {
            let schema = Some(schema.as_str().into());
            Ok(TableId { catalog: catalog.as_str().into(), schema, table: table.as_str().into() })
        }
        _ => Err(format!("id {text} has more than three names")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn enum_values_lose_and_regain_their_quotes() {
        for (text, value, again) in [
            ("'new'", "new", "'new'"),
            ("'it''s'", "it's", "'it''s'"),
            (r"'it\'s'", "it's", "'it''s'"),
            (r"'a\\b\n'", "a\\b\n", "'a\\\\b\n'"),
            ("\"q\"\"x\"", "q\"x", "'q\"x'"),
            ("''", "", "''"),
            ("bare", "bare", "'bare'"),
            ("'", "'", "''''"),
        ] {
            assert_eq!((unquoted(text).as_str(), literal(value).as_str()), (value, again), "{text}");
        }
    }

    #[test]
    fn identifiers_are_quoted_and_read_as_in_debezium() {
        for (text, id, again) in [
            ("\"db\".\"t\"", TableId::new("db", "t"), "\"db\".\"t\""),
            ("db.t", TableId::new("db", "t"), "\"db\".\"t\""),
            ("\"d.b\".\"t\"\"x\"", TableId::new("d.b", "t\"x"), "\"d.b\".\"t\"\"x\""),
            ("`db`.`t`", TableId::new("db", "t"), "\"db\".\"t\""),
            ("\"t\"", TableId::new("", "t"), "\"t\""),
        ] {
            let read = table_id(text).unwrap();
            assert_eq!((&read, quoted(&read).as_str()), (&id, again), "{text}");
        }
        assert!(table_id("\"a.b").is_err() && table_id("a.b.c.d").is_err());
    }
}
