//! The tree of an expression: what Groovy and JavaScript one-liners have in common.
//!
//! A node knows the place of its text, so that a record that fails says where. A property keeps the places of its field
//! in the schemas it has seen, so that a field is found without a look-up for each row.

use super::decimal::Decimal;
use crate::transform::debezium::structs::Column;
use crate::transform::memo::SchemaMemo;
use crate::util::java_regex::JavaRegex;

/// A part of an expression.
pub enum Node {
    /// What stands in the expression itself.
    Constant(Constant),
    /// What Debezium binds for each record.
    Variable(Variable),
    /// `of.name`, `of?.name`
    Property(Box<Property>),
    /// `of.method(...)`, `of?.method(...)`
    Call(Box<Call>),
    /// `!node`
    Not(Box<Node>),
    /// `-node`
    Negative(Box<Node>, usize),
    /// `left && right`
    And(Box<(Node, Node)>),
    /// `left || right`
    Or(Box<(Node, Node)>),
    /// `left == right` and its like
    Compare(Comparison, Box<(Node, Node)>, usize),
    /// `item in [...]`, `[...].contains(item)`, `[...].includes(item)`
    In(Box<Node>, Vec<Node>),
    /// `text ==~ /pattern/`; JavaScript has none.
    Matches(Box<Node>, JavaRegex, usize),
    /// `condition ? yes : no`
    Choice(Box<(Node, Node, Node)>),
    /// `left ?: right` by truth, `left ?? right` by null
    Otherwise(Box<(Node, Node)>),
    /// `left + right` and its like
    Arithmetic(Operator, Box<(Node, Node)>, usize),
    /// `"a${node}"`
    Template(Vec<Node>, usize),
    /// Where a chain of JavaScript's `?.` ends: what is null within it ends the whole chain.
    Chain(Box<Node>),
}

/// What stands in an expression itself.
pub enum Constant {
    /// `null`
    Null,
    /// `undefined`
    Undefined,
    /// `true`, `false`
    Boolean(bool),
    /// An `int`.
    Int(i32),
    /// A `long`.
    Long(i64),
    /// A `float`.
    Float(f32),
    /// A `double`; every number of JavaScript.
    Double(f64),
    /// A `BigDecimal`.
    Decimal(Decimal),
    /// Text.
    Text(Box<str>),
}

/// What Debezium binds for each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    /// The key.
    Key,
    /// The value.
    Value,
    /// The key's schema.
    KeySchema,
    /// The value's schema.
    ValueSchema,
    /// The topic's name.
    Topic,
    /// The headers by their names.
    Header,
}

impl Variable {
    /// Every one of them, by the name that Debezium gives it.
    pub const ALL: [(&'static str, Variable); 6] = [
        ("key", Variable::Key),
        ("value", Variable::Value),
        ("keySchema", Variable::KeySchema),
        ("valueSchema", Variable::ValueSchema),
        ("topic", Variable::Topic),
        ("header", Variable::Header),
    ];
}

/// `of.name`
pub struct Property {
    /// Whose it is.
    pub of: Node,
    /// Its name.
    pub name: Box<str>,
    /// Whether null has it as null: `?.`.
    pub safe: bool,
    /// Where the name stands.
    pub at: usize,
    /// The field in the schemas seen so far; `None` where a schema has no such field.
    pub fields: SchemaMemo<Option<Column>>,
}

/// `of.method(...)`
pub struct Call {
    /// Whose it is.
    pub of: Node,
    /// Which one.
    pub method: Method,
    /// What is in the parentheses.
    pub arguments: Vec<Node>,
    /// Whether null has it as null: `?.`.
    pub safe: bool,
    /// Where the name stands.
    pub at: usize,
}

/// The methods that are translated.
pub enum Method {
    /// `startsWith(text)`
    StartsWith,
    /// `endsWith(text)`
    EndsWith,
    /// `contains(text)`, JavaScript's `includes(text)`
    Contains,
    /// `equals(x)`
    Equals,
    /// `equalsIgnoreCase(text)`
    EqualsIgnoreCase,
    /// `toLowerCase()`
    ToLowerCase,
    /// `toUpperCase()`
    ToUpperCase,
    /// `trim()`
    Trim,
    /// `length()`, `size()` of text
    Length,
    /// `isEmpty()`
    IsEmpty,
    /// `toString()`
    ToString,
    /// `replace(text, text)`: every one in Groovy, the first in JavaScript
    Replace,
    /// `substring(begin)`, `substring(begin, end)`
    Substring,
    /// `split(separator)[index]`
    Split(Box<str>, usize),
    /// `matches(pattern)`
    Matches(JavaRegex),
    /// `containsKey(name)` of `header`
    ContainsKey(Box<str>),
    /// `schema()` of a struct
    Schema,
    /// `name()` of a schema
    Name,
    /// `field(name)` of a schema
    Field(Box<str>),
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// JavaScript's `===`
    Same,
    /// JavaScript's `!==`
    NotSame,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`, of text too
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `%`
    Remainder,
}

impl Operator {
    /// What it gives of two doubles.
    pub fn of_doubles(self, left: f64, right: f64) -> f64 {
        match self {
            Operator::Plus => left + right,
            Operator::Minus => left - right,
            Operator::Times => left * right,
            Operator::Remainder => left % right,
        }
    }
}

impl Node {
    /// Calls a function for each node beneath this one.
    pub fn each_mut(&mut self, visit: &mut dyn FnMut(&mut Node)) {
        match self {
            Node::Constant(_) | Node::Variable(_) => {}
            Node::Property(property) => visit(&mut property.of),
            Node::Call(call) => {
                visit(&mut call.of);
                call.arguments.iter_mut().for_each(&mut *visit);
            }
            Node::Not(node) | Node::Negative(node, _) | Node::Matches(node, _, _) | Node::Chain(node) => visit(node),
            Node::And(both) | Node::Or(both) | Node::Otherwise(both) => both_mut(both, visit),
            Node::Compare(_, both, _) | Node::Arithmetic(_, both, _) => both_mut(both, visit),
            Node::In(item, list) => {
                visit(item);
                list.iter_mut().for_each(&mut *visit);
            }
            Node::Choice(three) => {
                visit(&mut three.0);
                visit(&mut three.1);
                visit(&mut three.2);
            }
            Node::Template(nodes, _) => nodes.iter_mut().for_each(visit),
        }
    }

    /// Adds the headers that it names.
    pub fn headers(&mut self, names: &mut Vec<Box<str>>) {
        if let Node::Property(property) = self
            && matches!(property.of, Node::Variable(Variable::Header))
        {
            names.push(property.name.clone());
        }
        if let Node::Call(call) = self
            && let Method::ContainsKey(name) = &call.method
        {
            names.push(name.clone());
        }
        self.each_mut(&mut |node| node.headers(names));
    }

    /// Between batches: gives back memory that has grown.
    pub fn rest(&mut self) {
        if let Node::Property(property) = self {
            property.fields.rest();
        }
        self.each_mut(&mut Node::rest);
    }
}

fn both_mut(both: &mut (Node, Node), visit: &mut dyn FnMut(&mut Node)) {
    visit(&mut both.0);
    visit(&mut both.1);
}
