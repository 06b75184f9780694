//! What only a PostgreSQL connector has: its slot and publication, and types of its own.

use std::path::PathBuf;
use std::time::Duration;

use super::Findings;
use crate::config::ConfigError;
use crate::config::secret::Secret;
use crate::config::settings::Settings;
use crate::model::modes::{
    HstoreHandlingMode, IntervalHandlingMode, LsnFlushMode, OffsetMismatchStrategy, PostgresSslMode,
    PublicationAutocreateMode, SkippedOperations,
};
use crate::util::java_regex::{CompiledFilter, RegexList};

/// TLS towards PostgreSQL: PEM files, as libpq and the JDBC driver name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresTlsOptions {
    /// `database.sslmode`.
    pub mode: PostgresSslMode,
    /// `database.sslrootcert`: the authorities to trust.
    pub root_certificate: Option<PathBuf>,
    /// `database.sslcert`: the client's certificate.
    pub certificate: Option<PathBuf>,
    /// `database.sslkey`: its key.
    pub key: Option<PathBuf>,
    /// `database.sslpassword`: the key's password.
    pub key_password: Option<Secret>,
}

/// The replication slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotOptions {
    /// `slot.name`.
    pub name: String,
    /// `slot.drop.on.stop`.
    pub drop_on_stop: bool,
    /// `slot.failover`.
    pub failover: bool,
    /// `headwater.slot.takeover`: a reader that keeps the slot is ended.
    pub takeover: bool,
    /// `slot.stream.params`: options for the plugin beside ours.
    pub stream_parameters: Vec<(String, String)>,
    /// `slot.max.retries`: attempts to use a slot that is busy.
    pub max_retries: u32,
    /// `slot.retry.delay.ms`.
    pub retry_delay: Duration,
    /// `internal.create.slot.command.timeout`.
    pub create_timeout: Duration,
    /// `offset.mismatch.strategy`; `None` where it is not set.
    pub mismatch: Option<OffsetMismatchStrategy>,
    /// `status.update.interval.ms`.
    pub status_interval: Duration,
    /// `lsn.flush.mode`.
    pub flush: LsnFlushMode,
    /// `xmin.fetch.interval.ms`; `None` for never.
    pub xmin_interval: Option<Duration>,
}

/// The publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicationOptions {
    /// `publication.name`.
    pub name: String,
    /// `publication.autocreate.mode`.
    pub autocreate: PublicationAutocreateMode,
    /// `publish.via.partition.root`.
    pub via_partition_root: bool,
    /// What it publishes, where `skipped.operations` is set: `insert,update,delete`.
    pub publish: Option<String>,
}

/// Large transactions that are received while they are open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamingOptions {
    /// `headwater.transaction.memory.bytes`.
    pub memory_bytes: u64,
    /// `headwater.transaction.folder`; `None` for the temporary folder.
    pub folder: Option<PathBuf>,
    /// `headwater.transaction.folder.bytes`.
    pub folder_bytes: Option<u64>,
}

/// What a table logs of a row before its change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicaIdentity {
    /// The primary key.
    Default,
    /// All columns.
    Full,
    /// Nothing.
    Nothing,
    /// The columns of an index.
    Index(String),
}

/// `replica.identity.autoset.values`: the tables of one expression, and their identity.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaIdentityRule {
    /// Matched against `schema.table`.
    pub tables: RegexList,
    /// What they are set to.
    pub identity: ReplicaIdentity,
}

/// Types that only PostgreSQL has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostgresTypeOptions {
    /// `include.unknown.datatypes`.
    pub include_unknown: bool,
    /// `hstore.handling.mode`.
    pub hstore: HstoreHandlingMode,
    /// `interval.handling.mode`.
    pub interval: IntervalHandlingMode,
    /// `money.fraction.digits`.
    pub money_fraction_digits: i32,
}

/// What only a PostgreSQL connector has.
#[derive(Clone, Debug, PartialEq)]
pub struct PostgresOptions {
    /// `database.dbname`.
    pub database: String,
    /// TLS.
    pub tls: PostgresTlsOptions,
    /// `database.tcpKeepAlive`.
    pub keep_alive: bool,
    /// The slot.
    pub slot: SlotOptions,
    /// The publication.
    pub publication: PublicationOptions,
    /// `headwater.transaction.streaming`.
    pub streaming: Option<StreamingOptions>,
    /// Identities that tables are given, in order.
    pub replica_identities: Vec<ReplicaIdentityRule>,
    /// By the schema's name.
    pub schemas: CompiledFilter,
    /// By the prefix of a logical message.
    pub messages: CompiledFilter,
    /// Types.
    pub types: PostgresTypeOptions,
}

pub(super) fn postgres(settings: &Settings<'_>, findings: &mut Findings) -> PostgresOptions {
    let filter = |name: &str| CompiledFilter {
        include: settings.regexes(&format!("{name}.include.list")),
        exclude: settings.regexes(&format!("{name}.exclude.list")),
    };
    plugin(settings, &mut findings.errors);
    let file = |property: &str| settings.text(property).map(PathBuf::from);
    PostgresOptions {
        database: settings.text("database.dbname").unwrap_or_default(),
        tls: PostgresTlsOptions {
            mode: settings.word("database.sslmode", PostgresSslMode::parse, PostgresSslMode::Prefer),
            root_certificate: file("database.sslrootcert"),
            certificate: file("database.sslcert"),
            key: file("database.sslkey"),
            key_password: settings.secret("database.sslpassword"),
        },
        keep_alive: settings.flag("database.tcpKeepAlive"),
        slot: slot(settings, findings),
        publication: PublicationOptions {
            name: settings.text("publication.name").unwrap_or_default(),
            autocreate: settings.word(
                "publication.autocreate.mode",
                PublicationAutocreateMode::parse,
                PublicationAutocreateMode::AllTables,
            ),
            via_partition_root: settings.flag("publish.via.partition.root"),
            publish: publish(settings),
        },
        streaming: settings.flag("headwater.transaction.streaming").then(|| StreamingOptions {
            memory_bytes: u64::try_from(settings.number("headwater.transaction.memory.bytes")).unwrap_or(0),
            folder: file("headwater.transaction.folder"),
            folder_bytes: settings
                .optional_number("headwater.transaction.folder.bytes")
                .and_then(|bytes| u64::try_from(bytes).ok()),
        }),
        replica_identities: replica_identities(settings, &mut findings.errors),
        schemas: filter("schema"),
        messages: filter("message.prefix"),
        types: PostgresTypeOptions {
            include_unknown: settings.flag("include.unknown.datatypes"),
            hstore: settings.word("hstore.handling.mode", HstoreHandlingMode::parse, HstoreHandlingMode::Json),
            interval: settings.word(
                "interval.handling.mode",
                IntervalHandlingMode::parse,
                IntervalHandlingMode::Numeric,
            ),
            money_fraction_digits: i32::try_from(settings.number("money.fraction.digits")).unwrap_or(i32::MAX),
        },
    }
}

/// Only `pgoutput` is read; the other plugin has to be installed at the server, and is Debezium's default.
fn plugin(settings: &Settings<'_>, errors: &mut Vec<ConfigError>) {
    const PROPERTY: &str = "plugin.name";
    let plugin = settings.text(PROPERTY).unwrap_or_default();
    if !plugin.eq_ignore_ascii_case("pgoutput") {
        errors.push(ConfigError::Refused {
            property: PROPERTY.to_owned(),
            value: settings.masking.show(PROPERTY, &plugin),
            reason: "only pgoutput is read, which every server since PostgreSQL 10 has; set plugin.name=pgoutput. A slot keeps the plugin that it was made with: give slot.name a new name, or drop the slot once everything in it is read".to_owned(),
        });
    }
}

fn slot(settings: &Settings<'_>, findings: &mut Findings) -> SlotOptions {
    let old_seek = settings.flag("internal.slot.seek.to.known.offset.on.start");
    let mismatch = settings.is_set("offset.mismatch.strategy").then(|| {
        settings.word("offset.mismatch.strategy", OffsetMismatchStrategy::parse, OffsetMismatchStrategy::NoValidation)
    });
    let flush = match settings.is_set("lsn.flush.mode") || settings.flag("flush.lsn.source") {
        true => settings.word("lsn.flush.mode", LsnFlushMode::parse, LsnFlushMode::Connector),
        false => LsnFlushMode::Manual,
    };
    let name = settings.text("slot.name").unwrap_or_default();
    // PostgreSQL's manual, "Replication Slots": lower-case letters, digits and underscores.
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.len() > 63 || !name.chars().all(legal) {
        let expected = "at most 63 lower-case letters, digits and underscores";
        findings.errors.push(settings.invalid("slot.name", &name, expected));
    }
    SlotOptions {
        name,
        drop_on_stop: settings.flag("slot.drop.on.stop"),
        failover: settings.flag("slot.failover"),
        takeover: settings.flag("headwater.slot.takeover"),
        stream_parameters: stream_parameters(settings, &mut findings.errors),
        max_retries: u32::try_from(settings.number("slot.max.retries")).unwrap_or(0),
        retry_delay: settings.millis("slot.retry.delay.ms"),
        create_timeout: Duration::from_secs(
            u64::try_from(settings.number("internal.create.slot.command.timeout")).unwrap_or(90),
        ),
        mismatch: mismatch.or(old_seek.then_some(OffsetMismatchStrategy::TrustOffset)),
        status_interval: settings.millis("status.update.interval.ms"),
        flush,
        xmin_interval: Some(settings.millis("xmin.fetch.interval.ms")).filter(|interval| !interval.is_zero()),
    }
}

/// `name=value;name=value`.
fn stream_parameters(settings: &Settings<'_>, errors: &mut Vec<ConfigError>) -> Vec<(String, String)> {
    const PROPERTY: &str = "slot.stream.params";
    let Some(text) = settings.text(PROPERTY) else { return Vec::new() };
    let mut parameters = Vec::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some((name, value)) => parameters.push((name.trim().to_owned(), value.trim().to_owned())),
            None => errors.push(settings.invalid(PROPERTY, part, "of the form name=value;name=value")),
        }
    }
    parameters
}

/// What a publication that is made publishes: everything, unless `skipped.operations` is set.
fn publish(settings: &Settings<'_>) -> Option<String> {
    if !settings.is_set("skipped.operations") {
        return None;
    }
    let skipped = settings.word("skipped.operations", SkippedOperations::parse, SkippedOperations::default());
    let operations = [
        (skipped.create, "insert"),
        (skipped.update, "update"),
        (skipped.delete, "delete"),
        (skipped.truncate, "truncate"),
    ];
    if !operations.iter().any(|(skipped, _)| *skipped) {
        return None;
    }
    let published = operations.iter().filter(|(skipped, _)| !skipped).map(|(_, operation)| *operation);
    Some(published.collect::<Vec<_>>().join(","))
}

/// `schema.table:IDENTITY,…`, where an identity is DEFAULT, FULL, NOTHING or INDEX and the index's name.
fn replica_identities(settings: &Settings<'_>, errors: &mut Vec<ConfigError>) -> Vec<ReplicaIdentityRule> {
    const PROPERTY: &str = "replica.identity.autoset.values";
    let mut rules = Vec::new();
    for part in settings.list(PROPERTY) {
        let halves = part.rsplit_once(':').map(|(tables, identity)| (RegexList::parse(tables), identity.trim()));
        let identity = |word: &str| {
            let (first, rest) = word.split_once(char::is_whitespace).unwrap_or((word, ""));
            match (first.to_ascii_uppercase().as_str(), rest.trim()) {
                ("DEFAULT", "") => Some(ReplicaIdentity::Default),
                ("FULL", "") => Some(ReplicaIdentity::Full),
                ("NOTHING", "") => Some(ReplicaIdentity::Nothing),
                ("INDEX", index) if !index.is_empty() => Some(ReplicaIdentity::Index(index.to_owned())),
                _ => None,
            }
        };
        match halves.map(|(tables, word)| (tables, identity(word))) {
            Some((Ok(tables), Some(identity))) => rules.push(ReplicaIdentityRule { tables, identity }),
            Some((Err(error), _)) => errors.push(ConfigError::Regex { property: PROPERTY.to_owned(), error }),
            Some((Ok(_), None)) | None => {
                let expected = "of the form schema.table:DEFAULT, FULL, NOTHING or INDEX and an index's name";
                errors.push(settings.invalid(PROPERTY, &part, expected));
            }
        }
    }
    rules
}
