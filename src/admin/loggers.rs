//! The calls about logging (KIP-495, KIP-976).
//!
//! In: a logger's name and a level as Connect knows them. Out: what is logged from now on. A name of Java's packages stands
//! for the part of this program that does the same; levels that are set here end with the process, as in Connect.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, Result, bad};
use super::rest::Asked;
use crate::observe::log;

fn shown(logger: &log::Logger) -> Value {
    json!({ "level": logger.level, "last_modified": logger.last_modified_ms })
}

/// `GET /admin/loggers`.
pub(super) fn list() -> Answer {
    let loggers = log::loggers().into_iter().map(|logger| (logger.name.clone(), shown(&logger)));
    Answer::ok(Value::Object(loggers.collect()))
}

/// `GET /admin/loggers/{logger}`.
pub(super) fn get(asked: &Asked) -> Result {
    let found = log::loggers().into_iter().find(|logger| logger.name == asked.name());
    let missing = || Answer::refusal(StatusCode::NOT_FOUND, format!("Logger {} not found.", asked.name()));
    Ok(Answer::ok(shown(&found.ok_or_else(missing)?)))
}

/// `PUT /admin/loggers/{logger}`; with `scope=cluster` the answer is 204.
pub(super) fn set(asked: &Asked) -> Result {
    let body = asked.json()?;
    let Some(level) = body.get("level").and_then(Value::as_str) else {
        let text = "Desired 'level' parameter was not specified in request.";
        return Err(bad(text));
    };
    match log::set_level(asked.name(), level) {
        Ok(()) if asked.parameter("scope").is_some_and(|scope| scope.eq_ignore_ascii_case("cluster")) => {
            Ok(Answer::empty(StatusCode::NO_CONTENT))
        }
        Ok(()) => Ok(Answer::ok(json!([asked.name()]))),
        Err(log::Refused::Level) => {
            let text = format!("invalid log level '{}'.", level.escape_debug());
            Err(Answer::refusal(StatusCode::NOT_FOUND, text))
        }
        Err(log::Refused::Name) => {
            Err(Answer::refusal(StatusCode::NOT_FOUND, format!("Logger {} not found.", asked.name().escape_debug())))
        }
    }
}
