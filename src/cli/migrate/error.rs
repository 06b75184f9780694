//! What can go wrong between this command and a Kafka Connect cluster, and with the files that it writes.
//!
//! In: the finding. Out: a sentence and its page. Promised: nothing that a server sent beyond a status, a content type
//! and the host of a redirect stands in a sentence, because configurations with their secrets pass here.

use std::path::PathBuf;

use crate::error::{Code, Coded, Disposition};

/// Why connectors could not be read or written down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MigrateError {
    /// The address or what goes with it cannot be used. The text never repeats credentials.
    #[error("{option}: {problem}")]
    Option {
        /// The option of the command line.
        option: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Nobody answers.
    #[error("{url} cannot be reached: {reason}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// What the system said.
        reason: String,
    },
    /// No answer in time.
    #[error("{url} did not answer within {seconds} s")]
    TimedOut {
        /// What was asked.
        url: String,
        /// How long was waited.
        seconds: u64,
    },
    /// 401 or 403.
    #[error("{url} answers {status}: not with these credentials")]
    Denied {
        /// What was asked.
        url: String,
        /// The status.
        status: u16,
    },
    /// Something answers that is not Kafka Connect.
    #[error("{url} is not Kafka Connect: {why}")]
    NotConnect {
        /// What was asked.
        url: String,
        /// How that shows.
        why: String,
    },
    /// The server sends the client elsewhere.
    #[error("{url} answers {status} and points to {location}")]
    Redirect {
        /// What was asked.
        url: String,
        /// The status.
        status: u16,
        /// Where to, without credentials and query.
        location: String,
    },
    /// 409, 429 or 5xx for as long as was tried.
    #[error("{url} answers {status}, {attempts} times in {seconds} s")]
    Busy {
        /// What was asked.
        url: String,
        /// The last status.
        status: u16,
        /// How often it was asked.
        attempts: u32,
        /// For how long.
        seconds: u64,
    },
    /// An answer that breaks off, is too long, or does not say what it must.
    #[error("the answer of {url} cannot be used: {problem}")]
    Answer {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// `--connector` names one that is not there.
    #[error("there is no connector {name} on this cluster{}", near(found))]
    NoSuchConnector {
        /// The name.
        name: String,
        /// Those that there are.
        found: Vec<String>,
    },
    /// The worker's topic of offsets has none of a connector that Connect knows the position of.
    #[error("the worker's topic of offsets has no position of this connector, and Connect has one")]
    OtherOffsets,
    /// A file that is to be written is there already.
    #[error("{} exists", path.display())]
    FileExists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("{}: {reason}", path.display())]
    FileWrite {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

fn near(found: &[String]) -> String {
    if found.is_empty() { ", and no other".to_owned() } else { format!("; there are: {}", found.join(", ")) }
}

static OPTION: Code = Code {
    number: 1110,
    disposition: Disposition::Stop,
    title: "an option of `headwater migrate` cannot be used",
    hint: "--from-connect takes the address of Connect's REST API, such as http://connect:8083; --basic-auth takes USER:PASSWORD, --bearer a token, --ca a PEM file. Credentials are better given by the environment: HEADWATER_CONNECT_BASIC_AUTH, HEADWATER_CONNECT_BEARER.",
};
static UNREACHABLE: Code = Code {
    number: 1111,
    disposition: Disposition::Stop,
    title: "Kafka Connect cannot be reached",
    hint: "Look at the address and port (`listeners` of a worker, 8083 by default), at firewalls, and whether a worker runs: curl -i URL/ from this machine. With https, --ca names the authority's certificate.",
};
static TIMED_OUT: Code = Code {
    number: 1112,
    disposition: Disposition::Stop,
    title: "Kafka Connect did not answer in time",
    hint: "A worker that hangs or is out of memory accepts connections and does not answer. Ask another worker of the same cluster, or look at this one's log.",
};
static DENIED: Code = Code {
    number: 1113,
    disposition: Disposition::Stop,
    title: "Kafka Connect does not accept the credentials",
    hint: "Give the user of the REST API by HEADWATER_CONNECT_BASIC_AUTH=USER:PASSWORD or HEADWATER_CONNECT_BEARER=TOKEN. It needs to read connectors, their configurations and offsets.",
};
static NOT_CONNECT: Code = Code {
    number: 1114,
    disposition: Disposition::Stop,
    title: "the address is not that of a Kafka Connect worker",
    hint: "GET / of a worker answers JSON with \"version\" and \"kafka_cluster_id\". A page of HTML comes from a proxy, a login page or a user interface beside Connect: give the address of the REST API itself, with its path if a proxy adds one.",
};
static REDIRECT: Code = Code {
    number: 1115,
    disposition: Disposition::Stop,
    title: "the address of Kafka Connect points elsewhere",
    hint: "Redirects are not followed, because they would carry the credentials along. Give --from-connect the address that the message names, if that is your Connect.",
};
static BUSY: Code = Code {
    number: 1116,
    disposition: Disposition::Retry,
    title: "Kafka Connect is busy: a rebalance (409), or an error of its own (5xx)",
    hint: "A rebalance ends by itself within a minute or two; ask again. One that never ends shows in the workers' logs, as do the reasons of 500 and 503.",
};
static ANSWER: Code = Code {
    number: 1117,
    disposition: Disposition::Stop,
    title: "an answer of Kafka Connect cannot be used",
    hint: "It broke off, or is not what Connect's REST API says; nothing is concluded from half an answer. A proxy in between may cut it: ask a worker directly. If a connector was deleted or made just now, ask again.",
};
static NO_SUCH_CONNECTOR: Code = Code {
    number: 1118,
    disposition: Disposition::Stop,
    title: "there is no connector of this name on the Kafka Connect cluster",
    hint: "Names are matched letter by letter. curl URL/connectors lists them.",
};
static OTHER_OFFSETS: Code = Code {
    number: 1121,
    disposition: Disposition::Stop,
    title: "the worker's file names other offsets than the Connect cluster uses",
    hint: "Headwater would begin anew and lose what lies between. Set offset.storage.topic (or offset.storage.file.filename) and bootstrap.servers to those of the Connect worker; a connector with offsets.storage.topic of its own has them there.",
};
static FILE_EXISTS: Code = Code {
    number: 1119,
    disposition: Disposition::Stop,
    title: "a file that would be written exists",
    hint: "Nothing was written. Look at it; then name another folder with --output, or replace the files with --force.",
};
static FILE_WRITE: Code = Code {
    number: 1120,
    disposition: Disposition::Stop,
    title: "a file cannot be written",
    hint: "The user this runs as needs to write in the folder that --output names, and the disk needs room.",
};

impl Coded for MigrateError {
    fn code(&self) -> &'static Code {
        match self {
            MigrateError::Option { .. } => &OPTION,
            MigrateError::Unreachable { .. } => &UNREACHABLE,
            MigrateError::TimedOut { .. } => &TIMED_OUT,
            MigrateError::Denied { .. } => &DENIED,
            MigrateError::NotConnect { .. } => &NOT_CONNECT,
            MigrateError::Redirect { .. } => &REDIRECT,
            MigrateError::Busy { .. } => &BUSY,
            MigrateError::Answer { .. } => &ANSWER,
            MigrateError::NoSuchConnector { .. } => &NO_SUCH_CONNECTOR,
            MigrateError::OtherOffsets => &OTHER_OFFSETS,
            MigrateError::FileExists { .. } => &FILE_EXISTS,
            MigrateError::FileWrite { .. } => &FILE_WRITE,
        }
    }
}

/// Every page of this command, for `headwater explain`.
pub static CODES: &[&Code] = &[
    &OPTION,
    &UNREACHABLE,
    &TIMED_OUT,
    &DENIED,
    &NOT_CONNECT,
    &REDIRECT,
    &BUSY,
    &ANSWER,
    &NO_SUCH_CONNECTOR,
    &OTHER_OFFSETS,
    &FILE_EXISTS,
    &FILE_WRITE,
];
