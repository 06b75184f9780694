//! Which methods and properties are translated, and which names mean something else than a column.

use super::parser::{Parser, java_pattern};
use super::syntax::{Call, Method, Node, Property, Variable};
use super::{Dialect, Refusal};
use crate::transform::memo::SchemaMemo;

/// Names that Groovy reads from Java's object and not from the struct: its class and its private fields.
const NOT_COLUMNS: &[&str] = &["class", "metaClass", "properties", "metaPropertyValues", "schema", "values"];

/// Refuses properties that are something else than a field, a header or a part of a schema.
pub fn check_property(of: &Node, name: &str, at: usize, dialect: Dialect) -> Result<(), Refusal> {
    let refuse = |reason: String| Err(Refusal::new(at, reason));
    let javascript = dialect == Dialect::JavaScript;
    match (of, name) {
        (Node::Variable(Variable::Topic) | Node::Template(_, _) | Node::Constant(_), "length") if javascript => Ok(()),
        (Node::Variable(Variable::Topic) | Node::Template(_, _) | Node::Constant(_), _) => {
            refuse(format!("text has no property {name} that is translated"))
        }
        (Node::Variable(Variable::KeySchema | Variable::ValueSchema), "name") if !javascript => Ok(()),
        (Node::Variable(Variable::KeySchema | Variable::ValueSchema), _) => {
            refuse("of a schema, name() and field('x') are translated".to_owned())
        }
        (Node::Variable(Variable::Header), _) => Ok(()),
        _ if !javascript && NOT_COLUMNS.contains(&name) => {
            refuse(format!("Groovy reads {name} from Java's object, not from the column; write get('{name}')"))
        }
        _ => Ok(()),
    }
}

/// Reads a call behind its opening parenthesis.
pub fn read(parser: &mut Parser, of: Node, name: &str, safe: bool, at: usize) -> Result<Node, Refusal> {
    let dialect = parser.dialect;
    let known_text = |parser: &mut Parser| {
        let text = parser.literal();
        text.ok_or_else(|| parser.refuse(&format!("{name} is translated where this is text in single quotes")))
    };
    let on_schema = matches!(of, Node::Variable(Variable::KeySchema | Variable::ValueSchema))
        || matches!(&of, Node::Call(call) if matches!(call.method, Method::Schema | Method::Field(_)));
    let on_header = matches!(&of, Node::Property(one) if matches!(one.of, Node::Variable(Variable::Header)));
    let (method, arguments) = match (dialect, name) {
        (_, "startsWith") => (Method::StartsWith, 1),
        (_, "endsWith") => (Method::EndsWith, 1),
        (Dialect::Groovy, "contains") | (Dialect::JavaScript, "includes") => (Method::Contains, 1),
        (Dialect::Groovy, "equals") => (Method::Equals, 1),
        (Dialect::Groovy, "equalsIgnoreCase") => (Method::EqualsIgnoreCase, 1),
        (_, "toLowerCase") => (Method::ToLowerCase, 0),
        (_, "toUpperCase") => (Method::ToUpperCase, 0),
        (Dialect::Groovy, "trim") => (Method::Trim, 0),
        (Dialect::Groovy, "length" | "size") => (Method::Length, 0),
        (Dialect::Groovy, "isEmpty") => (Method::IsEmpty, 0),
        (_, "toString") => (Method::ToString, 0),
        (_, "replace") => (Method::Replace, 2),
        (_, "substring") => (Method::Substring, 2),
        (_, "split") => {
            let place = parser.at();
            let separator = known_text(parser)?;
            let separator = plain_separator(&separator, dialect)
                .ok_or_else(|| Refusal::new(place, "split is translated for a separator without a pattern"))?;
            parser.expect(")")?;
            parser.expect("[")?;
            let index = parser.index()?;
            parser.expect("]")?;
            let method = Method::Split(separator.into(), index);
            return Ok(Node::Call(Box::new(Call { of, method, arguments: Vec::new(), safe, at })));
        }
        (Dialect::Groovy, "matches") => {
            let place = parser.at();
            (Method::Matches(java_pattern(&known_text(parser)?, place)?), 0)
        }
        (Dialect::Groovy, "get") if !on_schema && !on_header => {
            let field = known_text(parser)?;
            parser.expect(")")?;
            return Ok(got(of, field, safe, at));
        }
        (Dialect::Groovy, "containsKey") if matches!(of, Node::Variable(Variable::Header)) => {
            (Method::ContainsKey(known_text(parser)?.into()), 0)
        }
        (Dialect::Groovy, "schema") => (Method::Schema, 0),
        (_, "name") if on_schema => (Method::Name, 0),
        (_, "field") if on_schema => (Method::Field(known_text(parser)?.into()), 0),
        _ => return Err(Refusal::new(at, format!("the method {name} is not translated"))),
    };
    let arguments = parser.bracketed(|parser| {
        let (mut read, mut height) = (Vec::new(), 0);
        for number in 0..arguments {
            if number > 0 && name == "substring" && !parser.eat(",") {
                break;
            }
            if number > 0 && name != "substring" {
                parser.expect(",")?;
            }
            read.push(parser.expression()?);
            height = parser.height.max(height);
        }
        parser.height = height;
        Ok(read)
    })?;
    parser.expect(")")?;
    Ok(Node::Call(Box::new(Call { of, method, arguments, safe, at })))
}

/// `of.get('name')`: the field, whatever its name.
fn got(of: Node, name: String, safe: bool, at: usize) -> Node {
    Node::Property(Box::new(Property { of, name: name.into(), safe, at, fields: SchemaMemo::default() }))
}

/// What a separator stands for: Groovy's is a pattern, of which one character, escaped where it must be, is read.
fn plain_separator(separator: &str, dialect: Dialect) -> Option<String> {
    let mut characters = separator.chars();
    match (dialect, characters.next()?, characters.next(), characters.next()) {
        (Dialect::JavaScript, ..) => Some(separator.to_owned()),
        (Dialect::Groovy, '\\', Some(c), None) if c.is_ascii_punctuation() => Some(c.to_string()),
        (Dialect::Groovy, c, None, None) if !".$|()[{^?*+\\".contains(c) => Some(c.to_string()),
        _ => None,
    }
}
