//! Golden files: what Debezium wrote, kept to compare with where there is no Java.
//!
//! One line for each record: `{"place": …, "record": …}`. A schema stands once, in a line of its own, and records name it by its
//! number. What only holds for one run is masked before it is written.

use std::path::Path;

use super::json::Node;
use super::landed::Landed;
use super::masks;

/// Writes what Debezium left behind.
pub fn write(path: &Path, landed: &Landed) {
    let (mut schemas, mut records) = (Vec::new(), String::new());
    for (place, found) in landed {
        for record in found {
            let mut record = record.clone();
            masks::apply(place, &mut record, true);
            intern(&mut record, &mut schemas);
            let line = Node::object(vec![("place", Node::string(place)), ("record", record)]);
            records.push_str(&line.print());
            records.push('\n');
        }
    }
    let line = |(number, schema): (usize, &Node)| {
        let line = Node::object(vec![("schema", Node::Scalar(number.to_string())), ("is", schema.clone())]);
        line.print() + "\n"
    };
    let text = schemas.iter().enumerate().map(line).collect::<String>() + &records;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Reads what [`write`] wrote; `None` where nothing was recorded.
pub fn read(path: &Path) -> Option<Landed> {
    let text = std::fs::read_to_string(path).ok()?;
    let (mut schemas, mut landed) = (Vec::new(), Landed::new());
    for line in text.lines() {
        let line =
            Node::parse(line).unwrap_or_else(|| panic!("{}: not a line of a golden file: {line}", path.display()));
        if let Some(schema) = line.get("is") {
            schemas.push(schema.clone());
            continue;
        }
        let place = line.get("place").and_then(Node::text).unwrap();
        let mut record = line.get("record").unwrap().clone();
        expand(&mut record, &schemas);
        landed.entry(place).or_default().push(record);
    }
    Some(landed)
}

/// The schemas of a record: those of its parts, and that of a subject.
fn schema_places(record: &mut Node) -> Vec<&mut Node> {
    if record.names() == ["schema"] {
        return record.get_mut("schema").into_iter().collect();
    }
    let Node::Object(parts) = record else { return Vec::new() };
    let mut found = Vec::new();
    for (name, part) in parts {
        if name != "headers" {
            schemas_of_part(part, &mut found);
        } else if let Node::Object(headers) = part {
            found.extend(headers.iter_mut().filter_map(|(_, header)| header.get_mut("schema")));
        }
    }
    found
}

/// Its own, and that of a CloudEvent's data.
fn schemas_of_part<'n>(part: &'n mut Node, found: &mut Vec<&'n mut Node>) {
    let Node::Object(members) = part else { return };
    for (name, member) in members {
        match name.as_str() {
            "schema" => found.push(member),
            "payload" => found.extend(member.get_mut("data").and_then(|data| data.get_mut("schema"))),
            "data" => found.extend(member.get_mut("schema")),
            _ => {}
        }
    }
}

fn intern(record: &mut Node, schemas: &mut Vec<Node>) {
    for place in schema_places(record).into_iter().filter(|schema| matches!(schema, Node::Object(_))) {
        let number = schemas.iter().position(|schema| schema == place).unwrap_or_else(|| {
            schemas.push(place.clone());
            schemas.len() - 1
        });
        *place = Node::string(&format!("#{number}"));
    }
}

fn expand(record: &mut Node, schemas: &[Node]) {
    for place in schema_places(record) {
        let number = place.text().and_then(|text| text.strip_prefix('#')?.parse::<usize>().ok());
        if let Some(schema) = number.and_then(|number| schemas.get(number)) {
            *place = schema.clone();
        }
    }
}
