//! What a registry answers, read as bytes that may be anything.

use serde_json::Value as Json;

use crate::serialize::error::SerializeError;

/// The calls of the API that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// `POST /subjects/S/versions`
    Register,
    /// `POST /subjects/S`
    LookUp,
    /// `GET /subjects/S/versions/latest`
    Latest,
    /// `GET /schemas/ids/I`
    ById,
    /// `POST /compatibility/subjects/S/versions/latest`
    Compatibility,
    /// `GET /schemas/types`
    Types,
}

impl Call {
    /// The call in the words of the API.
    pub(super) fn name(self) -> &'static str {
        match self {
            Call::Register => "registering a schema",
            Call::LookUp => "looking a schema up",
            Call::Latest => "reading the latest version",
            Call::ById => "reading a schema by its id",
            Call::Compatibility => "checking compatibility",
            Call::Types => "listing the types of schemas",
        }
    }
}

/// An answer that is JSON, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    /// The registry's URL, without credentials.
    pub url: String,
    /// Which call it answers.
    pub call: Call,
    /// The HTTP status.
    pub status: u16,
    /// The body; null when it was empty.
    pub json: Json,
}

impl Answer {
    /// This answer if it says yes, else the error.
    pub(super) fn accepted(self, call: Call, subject: &str) -> Result<Answer, SerializeError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let (error_code, words) = (self.json.get("error_code"), self.json.get("message"));
        if self.status == 404 && error_code.is_none() && words.is_none() {
            // The API says what is missing: this is the answer of another service, or on another path.
            let (content_type, first_line) = ("JSON".into(), clean(&self.json.to_string(), 120));
            return Err(SerializeError::NoRegistry { url: self.url, status: self.status, content_type, first_line });
        }
        let error_code = error_code.and_then(Json::as_i64).unwrap_or(0);
        let (subject, message) = (subject.to_owned(), self.message());
        // 40401 no such subject, 40402 no such version, 40403 no such schema.
        if self.status == 404 && call != Call::Register && (40401..=40403).contains(&error_code) {
            return Err(SerializeError::RegistryMissing { subject, message });
        }
        let (url, call, status) = (self.url, call.name(), self.status);
        Err(SerializeError::RegistryRefused { url, call, subject, status, error_code, message })
    }

    /// An id: positive, and within the four bytes that records have for it.
    pub(super) fn id(&self, member: &str) -> Result<u32, SerializeError> {
        let id = self.json.get(member).and_then(Json::as_i64).filter(|id| (1..=i64::from(i32::MAX)).contains(id));
        id.and_then(|id| u32::try_from(id).ok()).ok_or_else(|| self.malformed(&format!("{member} is not a schema id")))
    }

    /// A member that is text.
    pub(super) fn text(&self, member: &str) -> Result<&str, SerializeError> {
        self.json.get(member).and_then(Json::as_str).ok_or_else(|| self.malformed(&format!("{member} is not text")))
    }

    /// The registry's own words, cleaned.
    pub(super) fn message(&self) -> String {
        clean(self.json.get("message").and_then(Json::as_str).unwrap_or("without a message"), 500)
    }

    fn malformed(&self, reason: &str) -> SerializeError {
        SerializeError::RegistryAnswer { url: self.url.clone(), call: self.call.name(), reason: reason.into() }
    }
}

/// Text from outside, fit for a log line: no control characters, no more than `limit` characters.
pub(super) fn clean(text: &str, limit: usize) -> String {
    let mut out: String = text.chars().take(limit).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(limit).is_some() {
        out.push('…');
    }
    out
}
