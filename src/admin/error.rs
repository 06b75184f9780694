//! What can keep the server from answering.

use crate::error::{Code, Coded, Disposition};

/// An error of the HTTP server.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {message}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        message: String,
    },
    /// TLS of a listener cannot be had.
    #[error("{property}: {reason}")]
    Tls {
        /// The property.
        property: String,
        /// Why, without a password.
        reason: String,
    },
    /// The rules that name the series on `/metrics` cannot be used.
    #[error("{place}: {reason}")]
    Rules {
        /// The file, or the setting.
        place: String,
        /// What is wrong, and where in it.
        reason: String,
    },
    /// The runtime or its thread cannot be made.
    #[error("the server could not be started: {0}")]
    Runtime(String),
}

static LISTEN: Code = Code {
    number: 1100,
    disposition: Disposition::Stop,
    title: "an address of `listeners` cannot be used",
    hint: "Another process has the port, or the address is not this machine's. Set listeners=http://:8084 in the worker's file, or --set listeners=http://127.0.0.1:8084.",
};
static RUNTIME: Code = Code {
    number: 1101,
    disposition: Disposition::Stop,
    title: "the HTTP server could not be started",
    hint: "The machine or the container is out of threads, memory or file descriptors: raise its limits.",
};
static TLS: Code = Code {
    number: 1102,
    disposition: Disposition::Stop,
    title: "TLS of the listeners cannot be set up",
    hint: "listeners.https.ssl.keystore.location names a PEM, PKCS12 or JKS file with the server's certificate and its private key, listeners.https.ssl.keystore.password opens it; or set listeners.https.ssl.keystore.certificate.chain and .keystore.key. With ssl.client.auth a truststore is needed, too.",
};

static RULES: Code = Code {
    number: 1103,
    disposition: Disposition::Stop,
    title: "the file of metrics.jmx.exporter.config cannot be used",
    hint: "It is the configuration of a Prometheus JMX exporter, in YAML: the message names the rule and what is wrong with it. Without the setting, /metrics has the names of headwater.metrics.names.",
};

impl Coded for AdminError {
    fn code(&self) -> &'static Code {
        match self {
            AdminError::Listen { .. } => &LISTEN,
            AdminError::Tls { .. } => &TLS,
            AdminError::Rules { .. } => &RULES,
            AdminError::Runtime(_) => &RUNTIME,
        }
    }
}

/// Every page of this room, for `headwater explain`.
pub static CODES: &[&Code] = &[&LISTEN, &RUNTIME, &TLS, &RULES];
