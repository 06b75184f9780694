//! The calls about plugins: which there are, what they can be told, and whether it would do.

use serde_json::{Value, json};

use super::answer::Answer;
use crate::config::connector::CLASSES;

/// `GET /connector-plugins`.
pub(super) fn list() -> Answer {
    let plugin =
        |(class, _): (&str, _)| json!({ "class": class, "type": "source", "version": env!("CARGO_PKG_VERSION") });
    Answer::ok(Value::Array(CLASSES.map(plugin).to_vec()))
}
