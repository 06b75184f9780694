//! The calls about offsets (KIP-875).
//!
//! In: partitions and offsets as Connect shows them. Out: the same, or Connect's words for what became of them. Promised:
//! they are changed only while nothing of the connector runs.

use serde_json::{Value, json};

use super::answer::{Answer, Result, bad};
use super::rest::Asked;
use crate::worker::Handle;

/// `GET /connectors/{connector}/offsets`.
pub(super) fn get(worker: &Handle, asked: &Asked) -> Result {
    let offsets = worker.offsets(asked.name())?;
    let shown =
        |found: &crate::worker::PartitionOffset| json!({ "partition": found.partition, "offset": found.offset });
    Ok(Answer::ok(json!({ "offsets": offsets.iter().map(shown).collect::<Vec<Value>>() })))
}

/// `PATCH /connectors/{connector}/offsets`.
pub(super) fn alter(worker: &Handle, asked: &Asked) -> Result {
    let missing = || bad("Partitions / offsets need to be provided for an alter offsets request");
    let Value::Object(mut fields) = asked.json()? else { return Err(bad("The body is no JSON object with offsets")) };
    let entries = match fields.remove("offsets") {
        None | Some(Value::Null) => return Err(missing()),
        Some(Value::Array(entries)) if entries.is_empty() => return Err(missing()),
        Some(Value::Array(entries)) => entries,
        Some(_) => return Err(bad("offsets is a list of {\"partition\": {…}, \"offset\": {…}}")),
    };
    let mut wanted: Vec<(Value, Value)> = Vec::with_capacity(entries.len());
    for entry in entries {
        let Value::Object(mut entry) = entry else {
            return Err(bad("An entry of offsets is a JSON object with partition and offset"));
        };
        let partition = entry.remove("partition").unwrap_or(Value::Null);
        if wanted.iter().any(|(known, _)| *known == partition) {
            return Err(bad(format!("The partition {partition} stands there twice")));
        }
        wanted.push((partition, entry.remove("offset").unwrap_or(Value::Null)));
    }
    worker.alter_offsets(asked.name(), &wanted, asked.until)?;
    Ok(done("altered"))
}

/// `DELETE /connectors/{connector}/offsets`.
pub(super) fn reset(worker: &Handle, asked: &Asked) -> Result {
    worker.reset_offsets(asked.name(), asked.until)?;
    Ok(done("reset"))
}

/// Connect's words for a connector that has no say in it, as Debezium's have not.
fn done(what: &str) -> Answer {
    let text = format!(
        "The Connect framework-managed offsets for this connector have been {what} successfully. However, if this connector manages offsets externally, they will need to be manually {what} in the system that the connector uses."
    );
    Answer::ok(json!({ "message": text }))
}
