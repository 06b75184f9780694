//! Answers: a code, a body, and Kafka Connect's form of an error.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::worker::WorkerError;

/// What a call gives: either is an answer.
pub(super) type Result<T = Answer> = std::result::Result<T, Answer>;

/// What is answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Content,
    /// `Location`, of what was made.
    pub(super) location: Option<String>,
    /// `Allow`, where the method is wrong.
    pub(super) allow: Option<String>,
    /// Whether the answer asks who it is.
    pub(super) challenge: bool,
}

/// The body of an answer.
#[derive(Debug)]
pub(super) enum Content {
    Nothing,
    /// Boxed, because an answer stands in results.
    Json(Box<Value>),
    Text(&'static str, String),
}

impl Answer {
    pub(super) fn json(status: StatusCode, value: Value) -> Answer {
        Answer { status, body: Content::Json(Box::new(value)), location: None, allow: None, challenge: false }
    }

    pub(super) fn ok(value: Value) -> Answer {
        Answer::json(StatusCode::OK, value)
    }

    pub(super) fn empty(status: StatusCode) -> Answer {
        Answer { status, body: Content::Nothing, location: None, allow: None, challenge: false }
    }

    pub(super) fn text(status: StatusCode, kind: &'static str, text: String) -> Answer {
        Answer { status, body: Content::Text(kind, text), location: None, allow: None, challenge: false }
    }

    /// Connect's form of an error.
    pub(super) fn refusal(status: StatusCode, message: impl Into<String>) -> Answer {
        Answer::json(status, json!({ "error_code": status.as_u16(), "message": message.into() }))
    }

    /// What axum sends. `HEAD` has no body.
    pub(super) fn into_response(self) -> Response<Body> {
        let (kind, body) = match self.body {
            Content::Nothing => (None, Body::empty()),
            Content::Json(value) => (Some("application/json"), Body::from(value.to_string())),
            Content::Text(kind, text) => (Some(kind), Body::from(text)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(kind) = kind {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        for (name, value) in [(header::LOCATION, self.location), (header::ALLOW, self.allow)] {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                headers.insert(name, value);
            }
        }
        if self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
        }
        response
    }
}

/// The sender's mistake.
pub(super) fn bad(message: impl Into<String>) -> Answer {
    Answer::refusal(StatusCode::BAD_REQUEST, message)
}

/// Connect's codes. What has no place there: 503 while the worker starts, and 409 where waiting or another start helps.
impl From<WorkerError> for Answer {
    fn from(error: WorkerError) -> Answer {
        let status = match &error {
            WorkerError::NotFound(_)
            | WorkerError::Unknown(_)
            | WorkerError::UnknownToRestart(_)
            | WorkerError::UnknownTask(_) => StatusCode::NOT_FOUND,
            WorkerError::Exists(_)
            | WorkerError::OfFile { .. }
            | WorkerError::NoStore
            | WorkerError::StillEnding(_)
            // Connect's code while its workers have no leader: clients ask again.
            | WorkerError::Standby { .. }
            | WorkerError::OutOfGroup { .. } => StatusCode::CONFLICT,
            WorkerError::Invalid(_) | WorkerError::Refused(_) | WorkerError::NotStopped(_) => StatusCode::BAD_REQUEST,
            WorkerError::Starting { .. }
            | WorkerError::RunsElsewhere { .. }
            | WorkerError::MembersUnknown { .. }
            | WorkerError::Stopping
            | WorkerError::TooLate
            | WorkerError::InDoubt(_) => StatusCode::SERVICE_UNAVAILABLE,
            WorkerError::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Answer::refusal(status, error.to_string())
    }
}
