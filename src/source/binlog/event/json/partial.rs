//! Partial JSON updates: a document and the differences that PARTIAL_UPDATE_ROWS carries give the new text.
//!
//! Each difference is an operation (0 replace, 1 insert, 2 remove), a path, and, unless it removes, a document;
//! path and document have length-encoded lengths before them. Differences apply one after the other. Members of
//! an object are kept in the order in which MySQL stores them: shorter keys first, then by bytes.
//! Source: MySQL `sql/json_diff.cc`, and `json_path.cc` for paths (`$.key`, `$."key"`, `$[0]`).

use std::borrow::Cow;

use super::super::error::EventError;
use super::super::reader::Reader;
use super::document::{Budget, DEPTH_LIMIT, Members, Value};
use super::text::{write_string, write_value};

const WHAT: &str = "JSON differences";

/// A value that is either as it lies in its document, or taken apart because something inside it changed.
enum Node<'a> {
    Whole(Value<'a>),
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
    Array(Vec<Node<'a>>),
}

/// One step of a path.
#[derive(Debug, PartialEq, Eq)]
enum Leg<'a> {
    Member(Cow<'a, str>),
    Element(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Replace,
    Insert,
    Remove,
}

/// Appends the text of `before` after `differences`, a cell for which `ImagePlan::is_partial` holds.
///
/// Errors: [`EventError::Json`] when a document is not well formed, [`EventError::JsonDiff`] when a difference
/// does not fit it; `out` may then end with a part of the text.
pub fn write_updated(before: &[u8], differences: &[u8], out: &mut Vec<u8>) -> Result<(), EventError> {
    // Taking a value apart pays for its entries, writing it pays for them again.
    let bytes = before.len().saturating_add(differences.len()).saturating_add(1);
    let mut budget = Budget::new(bytes.saturating_mul(2));
    let mut root = Node::Whole(Value::of_document(before));
    let mut reader = Reader::new(differences, WHAT);
    while !reader.is_empty() {
        let operation = match reader.u8()? {
            0 => Operation::Replace,
            1 => Operation::Insert,
            2 => Operation::Remove,
            _ => return Err(reader.invalid("an operation that is not replace, insert or remove")),
        };
        let path = parse_path(reader.packed_bytes()?)?;
        let value = match operation {
            Operation::Remove => None,
            Operation::Replace | Operation::Insert => Some(Value::of_document(reader.packed_bytes()?)),
        };
        apply(&mut root, operation, path, value, &mut budget)?;
    }
    write_node(&root, 0, &mut budget, out)
}

fn misfit(reason: &'static str) -> EventError {
    EventError::JsonDiff { reason }
}

fn apply<'a>(
    root: &mut Node<'a>,
    operation: Operation,
    mut path: Vec<Leg<'a>>,
    value: Option<Value<'a>>,
    budget: &mut Budget,
) -> Result<(), EventError> {
    let Some(last) = path.pop() else {
        return match (operation, value) {
            (Operation::Replace, Some(value)) => {
                *root = Node::Whole(value);
                Ok(())
            }
            (Operation::Replace | Operation::Insert | Operation::Remove, _) => {
                Err(misfit("the whole document can only be replaced"))
            }
        };
    };
    let mut parent = root;
    for leg in path {
        parent = descend(parent, &leg, budget)?;
    }
    parent.take_apart(budget)?;
    match (parent, last) {
        (Node::Object(members), Leg::Member(key)) => change_member(members, operation, key, value),
        (Node::Array(elements), Leg::Element(index)) => change_element(elements, operation, index, value),
        (Node::Whole(_) | Node::Object(_) | Node::Array(_), _) => Err(misfit("a path through another kind of value")),
    }
}

fn change_member<'a>(
    members: &mut Vec<(Cow<'a, str>, Node<'a>)>,
    operation: Operation,
    key: Cow<'a, str>,
    value: Option<Value<'a>>,
) -> Result<(), EventError> {
    let place = members.iter().position(|(name, _)| *name == key);
    match (operation, place, value) {
        (Operation::Replace, Some(place), Some(value)) => {
            if let Some((_, node)) = members.get_mut(place) {
                *node = Node::Whole(value);
            }
            Ok(())
        }
        (Operation::Insert, None, Some(value)) => {
            let before = |name: &str| (name.len(), name.as_bytes()) < (key.len(), key.as_bytes());
            let place = members.partition_point(|(name, _)| before(name));
            members.insert(place, (key, Node::Whole(value)));
            Ok(())
        }
        (Operation::Remove, Some(place), None) => {
            members.remove(place);
            Ok(())
        }
        (Operation::Replace | Operation::Insert | Operation::Remove, _, _) => {
            Err(misfit("a member is there that should not be, or the other way round"))
        }
    }
}

fn change_element<'a>(
    elements: &mut Vec<Node<'a>>,
    operation: Operation,
    index: usize,
    value: Option<Value<'a>>,
) -> Result<(), EventError> {
    match (operation, value) {
        (Operation::Replace, Some(value)) => match elements.get_mut(index) {
            Some(element) => {
                *element = Node::Whole(value);
                Ok(())
            }
            None => Err(misfit("an element beyond the end of its array")),
        },
        (Operation::Insert, Some(value)) => {
            elements.insert(index.min(elements.len()), Node::Whole(value));
            Ok(())
        }
        (Operation::Remove, None) if index < elements.len() => {
            elements.remove(index);
            Ok(())
        }
        (Operation::Replace | Operation::Insert | Operation::Remove, _) => {
            Err(misfit("an element beyond the end of its array"))
        }
    }
}

fn descend<'n, 'a>(node: &'n mut Node<'a>, leg: &Leg<'_>, budget: &mut Budget) -> Result<&'n mut Node<'a>, EventError> {
    node.take_apart(budget)?;
    let found = match (node, leg) {
        (Node::Object(members), Leg::Member(key)) => {
            members.iter_mut().find(|(name, _)| name == key).map(|(_, node)| node)
        }
        (Node::Array(elements), Leg::Element(index)) => elements.get_mut(*index),
        (Node::Whole(_) | Node::Object(_) | Node::Array(_), _) => None,
    };
    found.ok_or_else(|| misfit("a path to a value that is not there"))
}

impl Node<'_> {
    /// Makes members of an object or array reachable; scalars stay whole.
    fn take_apart(&mut self, budget: &mut Budget) -> Result<(), EventError> {
        let Node::Whole(value) = self else {
            return Ok(());
        };
        let Some(members) = Members::of(value, budget)? else {
            return Ok(());
        };
        *self = if members.is_object {
            let member = |index| {
                let key = Cow::Borrowed(members.key(index, budget)?);
                Ok((key, Node::Whole(members.value(index)?)))
            };
            Node::Object((0..members.count).map(member).collect::<Result<_, EventError>>()?)
        } else {
            let element = |index| Ok(Node::Whole(members.value(index)?));
            Node::Array((0..members.count).map(element).collect::<Result<_, EventError>>()?)
        };
        Ok(())
    }
}

fn write_node(node: &Node<'_>, depth: usize, budget: &mut Budget, out: &mut Vec<u8>) -> Result<(), EventError> {
    if depth >= DEPTH_LIMIT {
        return Err(misfit("more than 100 levels"));
    }
    match node {
        Node::Whole(value) => write_value(value, depth, budget, out)?,
        Node::Object(members) => {
            out.push(b'{');
            for (index, (key, node)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_string(key, out);
                out.push(b':');
                write_node(node, depth + 1, budget, out)?;
            }
            out.push(b'}');
        }
        Node::Array(elements) => {
            out.push(b'[');
            for (index, node) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_node(node, depth + 1, budget, out)?;
            }
            out.push(b']');
        }
    }
    Ok(())
}

fn parse_path(path: &[u8]) -> Result<Vec<Leg<'_>>, EventError> {
    let wrong = || misfit("a path that cannot be read");
    let text = std::str::from_utf8(path).map_err(|_| wrong())?;
    let mut rest = text.strip_prefix('$').ok_or_else(wrong)?;
    let mut legs = Vec::new();
    while !rest.is_empty() {
        if legs.len() >= DEPTH_LIMIT {
            return Err(misfit("more than 100 levels"));
        }
        let (leg, behind) = if let Some(inner) = rest.strip_prefix('[') {
            let (number, behind) = inner.split_once(']').ok_or_else(wrong)?;
            (Leg::Element(number.parse().map_err(|_| wrong())?), behind)
        } else if rest.starts_with(".\"") {
            quoted(rest.get(1..).unwrap_or_default()).ok_or_else(wrong)?
        } else {
            let inner = rest.strip_prefix('.').ok_or_else(wrong)?;
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            let (key, behind) = inner.split_at(end);
            if key.is_empty() {
                return Err(wrong());
            }
            (Leg::Member(Cow::Borrowed(key)), behind)
        };
        legs.push(leg);
        rest = behind;
    }
    Ok(legs)
}

/// A key in JSON's quotes, and what comes behind it.
fn quoted(text: &str) -> Option<(Leg<'_>, &str)> {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, character)| {
        let closing = *character == '"' && !escaped;
        escaped = *character == '\\' && !escaped;
        closing
    })?;
    let (key, behind) = text.split_at_checked(end.0 + 1)?;
    let key: String = serde_json::from_str(key).ok()?;
    Some((Leg::Member(Cow::Owned(key)), behind))
}
