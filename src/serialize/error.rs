//! What can go wrong between a value and its bytes, and what is done about it.

use crate::error::{Code, Coded, Disposition};
use crate::model::value::ValueError;
use crate::util::class_options::BadOption;

/// An error of the `serialize` room. Never holds a row's value, a password or a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SerializeError {
    /// No converter has this class.
    #[error("there is no converter {class}")]
    UnknownConverter {
        /// As configured.
        class: String,
    },
    /// A converter or an option of it that Connect has and Headwater does not.
    #[error("{what} is not supported: {reason}")]
    Unsupported {
        /// The class or setting.
        what: String,
        /// Why, and what to use instead.
        reason: String,
    },
    /// An option's value is not one it takes.
    #[error(transparent)]
    BadOption(#[from] BadOption),
    /// Null where the schema forbids it.
    #[error("null in {field}, which is required and has no default")]
    Null {
        /// The path of the field; empty for the value itself.
        field: String,
    },
    /// A value of another shape than its schema.
    #[error("the value of {field} is {found} where its schema says {expected}")]
    Shape {
        /// The path of the field; empty for the value itself.
        field: String,
        /// The shape of the schema.
        expected: &'static str,
        /// The shape of the value.
        found: String,
    },
    /// The bytes of a field could not be decoded.
    #[error("{field}: {source}")]
    Value {
        /// The path of the field; empty for the value itself.
        field: String,
        /// What is wrong with them.
        source: ValueError,
    },
    /// A name that Avro does not allow.
    #[error("{name:?} in {place} is not a name that Avro allows")]
    AvroName {
        /// The name.
        name: String,
        /// Which schema it stands in.
        place: String,
    },
    /// Two different schemas have one Avro name.
    #[error("two different schemas have the Avro name {name}")]
    AvroRedefined {
        /// The full name.
        name: String,
    },
    /// A schema that the Avro converter cannot write.
    #[error("a schema cannot be written as Avro: {reason}")]
    AvroSchema {
        /// Why.
        reason: String,
    },
    /// A record that has no event: a part of it is missing or of another type.
    #[error("a record cannot be a CloudEvent: {reason}")]
    CloudEvent {
        /// What is missing or wrong.
        reason: String,
    },
    /// No registry could be reached before the deadline.
    #[error("no schema registry answered{}; the last: {reason}", tried(*attempts, *seconds))]
    RegistryUnreachable {
        /// What happened last, with the URL.
        reason: String,
        /// How often it was tried.
        attempts: u32,
        /// For how long.
        seconds: u64,
    },
    /// The registry kept answering that it cannot serve now.
    #[error("the schema registry at {url} answers {status} {message} ({attempts} attempts)")]
    RegistryBusy {
        /// Which.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What it says, cleaned.
        message: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The answer is not the API's: a login page, a proxy, another service, another path.
    #[error(
        "what answers at {url} is not a schema registry: status {status}, {content_type}, it begins {first_line:?}"
    )]
    NoRegistry {
        /// Where.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The content type.
        content_type: String,
        /// The first line, cleaned and cut.
        first_line: String,
    },
    /// The answer is JSON, and not what the registry's API says.
    #[error("the schema registry at {url} answered {call} with something else than its API says: {reason}")]
    RegistryAnswer {
        /// Where.
        url: String,
        /// Which call.
        call: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The answer is larger than any that the API gives.
    #[error("the answer of {url} is larger than {limit_bytes} bytes")]
    RegistryTooLarge {
        /// Where.
        url: String,
        /// The limit.
        limit_bytes: u64,
    },
    /// The registry sends us elsewhere.
    #[error("{url} redirects to {location}")]
    RegistryRedirect {
        /// Where.
        url: String,
        /// Where to, without query.
        location: String,
    },
    /// 401 or 403.
    #[error("the schema registry at {url} refuses {call} on {subject}: {status} {message}")]
    RegistryDenied {
        /// Where.
        url: String,
        /// Which call.
        call: &'static str,
        /// The subject.
        subject: String,
        /// The HTTP status.
        status: u16,
        /// What it says, cleaned.
        message: String,
    },
    /// 409: the schema is not compatible with what the subject has.
    #[error("the schema of {subject} is not compatible with {version}: {difference}")]
    RegistryIncompatible {
        /// The subject.
        subject: String,
        /// The latest version there, where known.
        version: String,
        /// The registry's own words.
        difference: String,
    },
    /// The registry does not know the schema, and we may not register it.
    #[error("{subject}: {message}")]
    RegistryMissing {
        /// The subject.
        subject: String,
        /// What is missing.
        message: String,
    },
    /// The version that must be used has another structure than the records.
    #[error("{subject} {version} cannot be used for these records: {difference}")]
    RegistryDiffers {
        /// The subject.
        subject: String,
        /// Which version or id.
        version: String,
        /// The first difference.
        difference: String,
    },
    /// Any other refusal.
    #[error(
        "the schema registry at {url} answers {call} on {subject} with {status} (error code {error_code}): {message}"
    )]
    RegistryRefused {
        /// Where.
        url: String,
        /// Which call.
        call: &'static str,
        /// The subject.
        subject: String,
        /// The HTTP status.
        status: u16,
        /// The registry's error code; 0 when none.
        error_code: i64,
        /// What it says, cleaned.
        message: String,
    },
    /// Files or settings of the TLS connection.
    #[error("TLS of the schema registry: {setting}: {reason}")]
    RegistryTls {
        /// The setting.
        setting: String,
        /// What is wrong, and what mends it.
        reason: String,
    },
    /// Waiting ended because the connector stops.
    #[error("stopped while waiting for the schema registry")]
    Stopped,
}

macro_rules! pages {
    ($($name:ident $number:literal $disposition:ident $title:literal $hint:literal;)*) => {
        $(static $name: Code = Code {
            number: $number,
            disposition: Disposition::$disposition,
            title: $title,
            hint: $hint,
        };)*
        /// Every page of this room.
        pub static CODES: &[&Code] = &[$(&$name),*];
    };
}

pages! {
    UNKNOWN_CONVERTER 600 Stop "a converter that does not exist"
        "key.converter, value.converter and header.converter take Kafka Connect's JsonConverter, StringConverter, ByteArrayConverter, SimpleHeaderConverter and Confluent's AvroConverter; `headwater config` lists them.";
    UNSUPPORTED 601 Stop "a converter or an option that is not supported"
        "The message says what to use instead.";
    BAD_OPTION 602 Stop "an option of a converter has a value that it does not take"
        "Correct the setting; `headwater config` lists what it takes.";
    NULL 610 Reject "null in a field that is required"
        "The table's definition and its rows disagree: compare SHOW CREATE TABLE with the schema history. A row that is older than a change of the column from NULL to NOT NULL shows this when the history is lost.";
    SHAPE 611 Stop "a value does not have the shape of its schema"
        "A fault of Headwater, or of a transform that changed a value and not its schema. Nothing was stored beyond it; report the table's definition and the transforms.";
    CLOUD_EVENT 612 Reject "a record that cannot be a CloudEvent"
        "CloudEventsConverter writes envelopes of Debezium's connectors; with metadata.source=header, structs whose headers source and op come from the envelope (HeaderFrom). Headers named in metadata.source must be on every record, as text. errors.tolerance=all leaves such records out.";
    AVRO_NAME 620 Stop "a name that Avro does not allow"
        "Set schema.name.adjustment.mode=avro and field.name.adjustment.mode=avro (or avro_unicode), as with Debezium, or change topic.prefix to letters, digits and underscores.";
    AVRO_REDEFINED 621 Stop "two different schemas have one Avro name"
        "Avro would read one with the other's fields. Give them different names: topic.prefix, topic.naming.strategy, or the transform that renamed one of them.";
    AVRO_SCHEMA 622 Stop "a schema that cannot be written as Avro"
        "Use another converter for this topic, or leave the column out with column.exclude.list.";
    REGISTRY_UNREACHABLE 640 Retry "the schema registry cannot be reached"
        "Records wait and nothing is lost. Check schema.registry.url from this host: curl URL/subjects";
    REGISTRY_BUSY 641 Retry "the schema registry cannot serve now"
        "Records wait and nothing is lost. 429: the registry limits requests; 5xx: look at the registry's own log.";
    NO_REGISTRY 642 Stop "what answers is not a schema registry"
        "schema.registry.url leads to a proxy, a login page or another service. Check the path too: Apicurio's is /apis/ccompat/v7.";
    REGISTRY_ANSWER 643 Stop "an answer that a schema registry does not give"
        "Check that schema.registry.url is a registry with Confluent's API, and its version.";
    REGISTRY_TOO_LARGE 644 Stop "an answer that is too large"
        "Check that schema.registry.url is a registry with Confluent's API.";
    REGISTRY_REDIRECT 645 Stop "the schema registry redirects"
        "Set schema.registry.url to where it leads, if that is right. It is not followed, because it would carry the password with it.";
    REGISTRY_DENIED 646 Stop "the schema registry refuses the credentials"
        "Check basic.auth.credentials.source and basic.auth.user.info (or bearer.auth.token) and the rights on the subject: read, and write unless auto.register.schemas=false.";
    REGISTRY_INCOMPATIBLE 647 Stop "the schema is not compatible with the subject's"
        "Either relax the subject (curl -X PUT URL/config/SUBJECT -H 'Content-Type: application/json' -d '{\"compatibility\":\"NONE\"}') or undo the change of the table; then restart the connector. Nothing was stored beyond it.";
    REGISTRY_MISSING 648 Stop "the registry does not have the schema"
        "auto.register.schemas=false: register the schema first (the log has its text at level debug), or set auto.register.schemas=true.";
    REGISTRY_DIFFERS 649 Stop "the schema to be used has another structure"
        "use.latest.version or use.schema.id picks a schema whose fields are not those of the table. Register one with the same fields, or set use.latest.version=false.";
    REGISTRY_REFUSED 650 Stop "the schema registry refuses the request"
        "The message is the registry's own. 422 with error code 42201: the registry finds the schema invalid; 42205: the subject or the registry is in mode READONLY. 404 with error code 404: the path in schema.registry.url may be wrong.";
    REGISTRY_TLS 651 Stop "TLS of the schema registry is not set up right"
        "Check the schema.registry.ssl.* settings. A JKS file is converted with: keytool -importkeystore -srckeystore FILE.jks -destkeystore FILE.p12 -deststoretype PKCS12";
    STOPPED 652 Retry "stopped while waiting for the schema registry"
        "The connector was told to stop. Nothing was stored beyond what the broker has.";
}

/// How often and how long, once that is known.
fn tried(attempts: u32, seconds: u64) -> String {
    if attempts == 0 { String::new() } else { format!(" within {seconds} s in {attempts} attempts") }
}

impl Coded for SerializeError {
    fn code(&self) -> &'static Code {
        match self {
            SerializeError::UnknownConverter { .. } => &UNKNOWN_CONVERTER,
            SerializeError::Unsupported { .. } => &UNSUPPORTED,
            SerializeError::BadOption(_) => &BAD_OPTION,
            SerializeError::Null { .. } => &NULL,
            SerializeError::Shape { .. } => &SHAPE,
            SerializeError::Value { source, .. } => source.code(),
            SerializeError::CloudEvent { .. } => &CLOUD_EVENT,
            SerializeError::AvroName { .. } => &AVRO_NAME,
            SerializeError::AvroRedefined { .. } => &AVRO_REDEFINED,
            SerializeError::AvroSchema { .. } => &AVRO_SCHEMA,
            SerializeError::RegistryUnreachable { .. } => &REGISTRY_UNREACHABLE,
            SerializeError::RegistryBusy { .. } => &REGISTRY_BUSY,
            SerializeError::NoRegistry { .. } => &NO_REGISTRY,
            SerializeError::RegistryAnswer { .. } => &REGISTRY_ANSWER,
            SerializeError::RegistryTooLarge { .. } => &REGISTRY_TOO_LARGE,
            SerializeError::RegistryRedirect { .. } => &REGISTRY_REDIRECT,
            SerializeError::RegistryDenied { .. } => &REGISTRY_DENIED,
            SerializeError::RegistryIncompatible { .. } => &REGISTRY_INCOMPATIBLE,
            SerializeError::RegistryMissing { .. } => &REGISTRY_MISSING,
            SerializeError::RegistryDiffers { .. } => &REGISTRY_DIFFERS,
            SerializeError::RegistryRefused { .. } => &REGISTRY_REFUSED,
            SerializeError::RegistryTls { .. } => &REGISTRY_TLS,
            SerializeError::Stopped => &STOPPED,
        }
    }
}

/// An error while a value is written, before its place is known in full. Boxed, so that the path that
/// succeeds moves a pointer and not a message.
#[derive(Debug)]
pub(super) struct Fault {
    /// The path so far, from the inside out.
    path: String,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Null,
    Shape { expected: &'static str, found: String },
    Value(ValueError),
}

impl Fault {
    #[cold]
    pub(super) fn null() -> Box<Fault> {
        Box::new(Fault { path: String::new(), cause: Cause::Null })
    }

    #[cold]
    pub(super) fn shape(expected: &'static str, found: &crate::model::value::ValueRef<'_>) -> Box<Fault> {
        Box::new(Fault { path: String::new(), cause: Cause::Shape { expected, found: format!("{found:?}") } })
    }

    #[cold]
    pub(super) fn value(source: ValueError) -> Box<Fault> {
        Box::new(Fault { path: String::new(), cause: Cause::Value(source) })
    }

    /// The same, inside the field `name`.
    #[cold]
    pub(super) fn within(mut self: Box<Self>, name: &str) -> Box<Fault> {
        self.path = if self.path.is_empty() { name.into() } else { format!("{name}.{}", self.path) };
        self
    }

    #[cold]
    pub(super) fn into_error(self) -> SerializeError {
        let field = if self.path.is_empty() { "the value".into() } else { self.path };
        match self.cause {
            Cause::Null => SerializeError::Null { field },
            Cause::Shape { expected, found } => SerializeError::Shape { field, expected, found },
            Cause::Value(source) => SerializeError::Value { field, source },
        }
    }
}
