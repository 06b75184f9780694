//! The schema registry's client: the only input and output of this room.
//!
//! In: a subject and a schema's text. Out: the schema's id. Promised: called when a schema is first met and never
//! per record; every call ends within the deadline, or at once when the connector stops; what the registry
//! answers is read as hostile bytes. Nothing here survives a crash: the registry itself is the memory, and
//! registering the same text again gives the same id.
//!
//! ```text
//!  id(subject, text) ─▶ cache ─▶ policy: register | look up | latest version | given id
//!                                  └─▶ retry (URLs in order, back-off, deadline, stop) ─▶ http ─▶ registry
//! ```
//!
//! Source: Confluent's "Schema Registry API Reference"; `AbstractKafkaAvroSerializer.serializeImpl` for the policies.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use super::error::SerializeError;
use crate::error::{Coded, Disposition};
use crate::util::class_options::Options;
use crate::util::percent::encode_segment;
use answer::{Answer, Call};

mod answer;
mod canonical;
mod http;
mod settings;
mod tls;

pub use settings::OPTIONS;

/// No schema is larger: Kafka would not take the registry's record of it.
const SCHEMA_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// How the id of a schema is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// `auto.register.schemas=true`
    Register,
    /// `use.schema.id`
    Given(u32),
    /// `use.latest.version=true`
    Latest,
    /// None of these: the schema must be there already.
    LookUp,
}

/// A registry, and how it is asked.
pub(super) struct Registry {
    http: http::Client,
    policy: Policy,
    normalize: bool,
    /// Ids by subject and schema text. Locked when a schema is first met, never per record.
    known: Mutex<HashMap<(String, String), u32>>,
}

impl Registry {
    /// Reads the settings and sets TLS up. Does not connect.
    pub(super) fn open(options: &Options<'_>, stop: &Arc<AtomicBool>) -> Result<Self, SerializeError> {
        let register = options.flag("auto.register.schemas", true)?;
        let given = options.number("use.schema.id", -1, -1)?;
        let latest = options.flag("use.latest.version", false)?;
        let policy = match (register, u32::try_from(given), latest) {
            (true, _, _) => Policy::Register,
            (false, Ok(id), _) => Policy::Given(id),
            (false, Err(_), true) => Policy::Latest,
            (false, Err(_), false) => Policy::LookUp,
        };
        Ok(Registry {
            http: http::Client::open(settings::Settings::read(options)?, stop.clone())?,
            policy,
            normalize: options.flag("normalize.schemas", false)?,
            known: Mutex::new(HashMap::new()),
        })
    }

    /// The id of a schema under a subject.
    pub(super) fn id(&self, subject: &str, text: &str) -> Result<u32, SerializeError> {
        if text.len() > SCHEMA_LIMIT_BYTES {
            return Err(SerializeError::AvroSchema { reason: format!("its text has {} bytes", text.len()) });
        }
        let entry = (subject.to_owned(), text.to_owned());
        // A thread that panicked while it held the lock leaves a map that is still whole.
        if let Some(id) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&entry) {
            return Ok(*id);
        }
        let id = match self.policy {
            Policy::Register => self.register(subject, text)?,
            Policy::LookUp => self.look_up(subject, text)?,
            Policy::Latest => self.latest(subject, text)?,
            Policy::Given(id) => self.given(subject, text, id)?,
        };
        tracing::info!(subject, id, "schema id");
        tracing::debug!(subject, id, schema = text, "schema text");
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(entry, id);
        Ok(id)
    }

    fn register(&self, subject: &str, text: &str) -> Result<u32, SerializeError> {
        let refused = match self.try_register(subject, text)? {
            Ok(id) => return Ok(id),
            Err(refused) => refused,
        };
        // A registry that still reads its journal refuses what it has already, with the same status.
        // Where it is not there, or may not be looked up, the refusal stands.
        if let Some(id) = unless_away(self.look_up(subject, text))? {
            return Ok(id);
        }
        let (is_compatible, incompatible) = self.incompatible(subject, text, &refused)?;
        if is_compatible && let Ok(id) = self.try_register(subject, text)? {
            return Ok(id);
        }
        Err(incompatible)
    }

    /// The id, or the refusal.
    fn try_register(&self, subject: &str, text: &str) -> Result<Result<u32, Answer>, SerializeError> {
        let path = format!("/subjects/{}/versions{}", encode_segment(subject), self.query());
        let answer = self.http.call(Call::Register, subject, &path, Some(&body(text)))?;
        if answer.status == 409 {
            return Ok(Err(answer));
        }
        answer.accepted(Call::Register, subject)?.id("id").map(Ok)
    }

    fn look_up(&self, subject: &str, text: &str) -> Result<u32, SerializeError> {
        let path = format!("/subjects/{}{}", encode_segment(subject), self.query());
        let answer = self.http.call(Call::LookUp, subject, &path, Some(&body(text)))?;
        answer.accepted(Call::LookUp, subject)?.id("id")
    }

    fn latest(&self, subject: &str, text: &str) -> Result<u32, SerializeError> {
        let path = format!("/subjects/{}/versions/latest", encode_segment(subject));
        let answer = self.http.call(Call::Latest, subject, &path, None)?;
        let latest = answer.accepted(Call::Latest, subject)?;
        let version = latest.json.get("version").and_then(Json::as_i64);
        let version = version.map_or_else(|| "its latest version".to_owned(), |version| format!("version {version}"));
        same_structure(subject, &version, text, latest.text("schema")?)?;
        latest.id("id")
    }

    fn given(&self, subject: &str, text: &str, id: u32) -> Result<u32, SerializeError> {
        let answer = self.http.call(Call::ById, subject, &format!("/schemas/ids/{id}"), None)?;
        let found = answer.accepted(Call::ById, subject)?;
        same_structure(subject, &format!("schema id {id}"), text, found.text("schema")?)?;
        Ok(id)
    }

    fn query(&self) -> &'static str {
        if self.normalize { "?normalize=true" } else { "" }
    }

    /// What is incompatible with what: asked for, because a 409 alone rarely says. What cannot be had is left out. Says also
    /// whether the registry, when asked, finds nothing incompatible.
    fn incompatible(
        &self,
        subject: &str,
        text: &str,
        refusal: &Answer,
    ) -> Result<(bool, SerializeError), SerializeError> {
        let encoded = encode_segment(subject);
        let latest = self.http.call(Call::Latest, subject, &format!("/subjects/{encoded}/versions/latest"), None);
        let version = latest.ok().and_then(|answer| answer.json.get("version")?.as_i64());
        let path = format!("/compatibility/subjects/{encoded}/versions/latest?verbose=true");
        let verdict = unless_away(self.http.call(Call::Compatibility, subject, &path, Some(&body(text))))?;
        let is_compatible = verdict.as_ref().and_then(|answer| answer.json.get("is_compatible")?.as_bool());
        let messages = verdict.as_ref().and_then(|answer| answer.json.get("messages")?.as_array());
        let messages: Vec<String> =
            messages.into_iter().flatten().filter_map(Json::as_str).map(|text| answer::clean(text, 500)).collect();
        let error = SerializeError::RegistryIncompatible {
            subject: subject.into(),
            version: version.map_or_else(|| "its versions".into(), |version| format!("version {version}")),
            difference: if messages.is_empty() { refusal.message() } else { messages.join("; ") },
        };
        Ok((is_compatible.unwrap_or(false), error))
    }
}

/// What was answered, or that the question was refused. An error is an outage, or a stop: to be asked again.
fn unless_away<T>(answer: Result<T, SerializeError>) -> Result<Option<T>, SerializeError> {
    match answer {
        Err(error) if matches!(error, SerializeError::Stopped) || error.code().disposition == Disposition::Retry => {
            Err(error)
        }
        answer => Ok(answer.ok()),
    }
}

/// Asks a registry whether it is there and lets us in, with a call that changes nothing and reads little.
///
/// # Errors
/// When the settings cannot be used, nobody answers, or not as a registry does.
pub fn check(options: &BTreeMap<String, String>, stop: &Arc<AtomicBool>) -> Result<(), SerializeError> {
    let registry = Registry::open(&Options::new(options), stop)?;
    let answer = registry.http.call(Call::Types, "", "/schemas/types", None)?;
    answer.accepted(Call::Types, "").map(drop)
}

fn body(text: &str) -> String {
    format!("{{\"schema\":{}}}", super::json::escape::quoted(text))
}

/// Whether records written by our plan can be read with `theirs`: names, fields and types must be the same.
fn same_structure(subject: &str, version: &str, ours: &str, theirs: &str) -> Result<(), SerializeError> {
    let differs =
        |difference| SerializeError::RegistryDiffers { subject: subject.into(), version: version.into(), difference };
    let parse = |text: &str| serde_json::from_str::<Json>(text);
    let (Ok(ours), Ok(theirs)) = (parse(ours), parse(theirs)) else {
        return Err(differs("it is not an Avro schema".into()));
    };
    match canonical::difference(&ours, &theirs) {
        None => Ok(()),
        Some(difference) => Err(differs(answer::clean(&difference, 500))),
    }
}

#[cfg(test)]
mod tests;
