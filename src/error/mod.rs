//! Codes and dispositions: what every room's errors have in common.
//!
//! A room has one error enum of its own; one exhaustive match gives each variant a [`Code`], and with it
//! its [`Disposition`] and hint. `headwater explain HW0042` prints the page of a code.

use std::fmt;

/// What is done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The weather: try again, with back-off, visibly.
    Retry,
    /// The state of the source, the broker or the configuration: a person has to mend it.
    Stop,
    /// One record cannot be delivered: the policy for such records decides.
    Reject,
}

/// The page of one error: a stable number, what happens next, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Printed as `HW0042`.
    pub number: u16,
    /// What is done about it.
    pub disposition: Disposition,
    /// What it means, in a line.
    pub title: &'static str,
    /// What the reader should do: a statement, a setting, a place to look.
    pub hint: &'static str,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HW{:04}", self.number)
    }
}

/// An error that knows its page.
pub trait Coded: std::error::Error {
    /// The page.
    fn code(&self) -> &'static Code;
}

/// An error that has left its room: its page, and its words.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The page.
    pub code: &'static Code,
    /// What happened, in a line, without row values or secrets.
    pub message: String,
}

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            cause = error.source();
        }
        Failure { code: error.code(), message }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
