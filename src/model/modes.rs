//! The closed choices a configuration can make, as enums that every room can name.
//!
//! In: the word a user wrote. Out: the choice, or `None` when the word means nothing. Promised: a word is
//! accepted as Debezium accepts it (any case, blanks around it ignored, and the names it had in older
//! versions), and `as_str` gives back today's word, which `parse` always takes. Pure values: nothing here
//! survives or needs to survive a crash.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// Declares one enum of modes: each variant with its documentation, today's word and its older words.
macro_rules! modes {
    ($(
        $(#[$about:meta])*
        pub enum $name:ident {
            $($(#[$doc:meta])* $variant:ident = $word:literal $(| $older:literal)*,)+
        }
    )+) => { $(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// Every choice, in the order of the manual.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];
            /// Today's words, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word,)+];

            /// The choice that a word names, in any case, or `None`.
            pub fn parse(word: &str) -> Option<$name> {
                let word = word.trim();
                $(if word.eq_ignore_ascii_case($word) $(|| word.eq_ignore_ascii_case($older))* {
                    return Some($name::$variant);
                })+
                None
            }

            /// Today's word for this choice.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+ };
}

modes! {
    /// Which database a connector reads; the words are Debezium's plugin names (`source.connector`, the
    /// domain of the MBeans, the header `__debezium.context.connectorName`).
    pub enum ConnectorKind {
        /// `io.debezium.connector.mysql.MySqlConnector`.
        MySql = "mysql",
        /// `io.debezium.connector.mariadb.MariaDbConnector`.
        MariaDb = "mariadb",
        /// `io.debezium.connector.postgresql.PostgresConnector`.
        Postgres = "postgresql" | "postgres",
    }

    /// `headwater.metrics.names`: how the series on `/metrics` are called where no rules file names them.
    pub enum MetricNames {
        /// As in Debezium's example: `debezium_metrics_MilliSecondsBehindSource`.
        Debezium = "debezium",
        /// `debezium_metrics_millisecondsbehindsource`.
        Lowercase = "lowercase",
        /// `debezium_metrics_milli_seconds_behind_source`.
        SnakeCase = "snake_case",
    }

    /// `debezium.compat.version`: the generation of Debezium that records are written like, where generations differ.
    pub enum DebeziumGeneration {
        /// Debezium 3.6: a signed TINYINT is an int16.
        V3_6 = "3.6",
        /// Debezium 3.7, as its second alpha has it: a signed TINYINT is an int8.
        V3_7 = "3.7",
    }

    /// `decimal.handling.mode`: how DECIMAL and NUMERIC are written.
    pub enum DecimalHandlingMode {
        /// Connect's `Decimal`: the unscaled number as big-endian bytes.
        Precise = "precise",
        /// Plain text, every digit kept.
        String = "string",
        /// A 64-bit float; digits may be lost.
        Double = "double",
    }

    /// `time.precision.mode`: the units of dates and times.
    pub enum TimePrecisionMode {
        /// By the precision of the column (PostgreSQL only).
        Adaptive = "adaptive",
        /// By the precision of the column, except that TIME is always in microseconds.
        AdaptiveTimeMicroseconds = "adaptive_time_microseconds",
        /// Connect's own logical types, in milliseconds.
        Connect = "connect",
        /// ISO 8601 text.
        IsoString = "isostring",
        /// Microseconds everywhere.
        Microseconds = "microseconds",
        /// Nanoseconds everywhere.
        Nanoseconds = "nanoseconds",
        /// Structs of year, month, day and so on; keeps zero dates (Debezium 3.7).
        Structured = "structured",
    }

    /// `publication.autocreate.mode`: what a publication that is not there is made for.
    pub enum PublicationAutocreateMode {
        /// Nothing: it must be there.
        Disabled = "disabled",
        /// Every table.
        AllTables = "all_tables",
        /// The tables that are captured.
        Filtered = "filtered",
        /// No table.
        NoTables = "no_tables",
    }

    /// `offset.mismatch.strategy`: what is believed when the stored position and the slot's are not the same.
    pub enum OffsetMismatchStrategy {
        /// Neither is compared with the other.
        NoValidation = "no_validation",
        /// The stored position; a slot that is ahead of it is an error.
        TrustOffset = "trust_offset",
        /// The slot.
        TrustSlot = "trust_slot",
        /// The one that is ahead.
        TrustGreaterLsn = "trust_greater_lsn",
    }

    /// `lsn.flush.mode`: who moves the slot.
    pub enum LsnFlushMode {
        /// The connector, behind what is stored.
        Connector = "connector",
        /// Nobody here.
        Manual = "manual",
        /// The connector, and the driver by keep-alives.
        ConnectorAndDriver = "connector_and_driver",
    }

    /// `database.sslmode`: TLS towards PostgreSQL, by libpq's words.
    pub enum PostgresSslMode {
        /// Never.
        Disable = "disable",
        /// Only if the server asks for it.
        Allow = "allow",
        /// If the server offers it.
        Prefer = "prefer",
        /// Always, with whatever certificate.
        Require = "require",
        /// Always, with a certificate of a trusted authority.
        VerifyCa = "verify-ca",
        /// The same, and for this host.
        VerifyFull = "verify-full",
    }

    /// `hstore.handling.mode`: how HSTORE is written.
    pub enum HstoreHandlingMode {
        /// As JSON text.
        Json = "json",
        /// As a map.
        Map = "map",
    }

    /// `interval.handling.mode`: how INTERVAL is written.
    pub enum IntervalHandlingMode {
        /// As microseconds.
        Numeric = "numeric",
        /// As ISO 8601 text.
        String = "string",
    }

    /// `bigint.unsigned.handling.mode`: how BIGINT UNSIGNED is written.
    pub enum BigIntUnsignedHandlingMode {
        /// A signed 64-bit integer; values of 2^63 and more come out negative.
        Long = "long",
        /// Connect's `Decimal` with scale 0.
        Precise = "precise",
    }

    /// `binary.handling.mode`: how BINARY, VARBINARY and BLOB are written.
    pub enum BinaryHandlingMode {
        /// As bytes.
        Bytes = "bytes",
        /// As base64 text.
        Base64 = "base64",
        /// As base64 text in the URL-safe alphabet.
        Base64UrlSafe = "base64-url-safe",
        /// As text of lower-case hexadecimal digits.
        Hex = "hex",
    }

    /// `schema.name.adjustment.mode` and `field.name.adjustment.mode`: how names are made legal in Avro.
    /// Debezium has two enums with the same three choices; the rule is one.
    pub enum SchemaNameAdjustmentMode {
        /// Names stay.
        None = "none",
        /// Each illegal character becomes `_`.
        Avro = "avro",
        /// Each illegal character becomes `_uXXXX`, and `_` itself too.
        AvroUnicode = "avro_unicode",
    }

    /// `inconsistent.schema.handling.mode`: a row event whose table is unknown or shaped otherwise.
    pub enum InconsistentSchemaHandlingMode {
        /// Stop, naming the position.
        Fail = "fail",
        /// Log a warning and pass over the event.
        Warn = "warn",
        /// Pass over the event, counted.
        Skip = "skip" | "ignore",
    }

    /// `event.processing.failure.handling.mode`: an event that cannot be decoded.
    pub enum EventProcessingFailureHandlingMode {
        /// Stop, naming the position.
        Fail = "fail",
        /// Log a warning and pass over the event.
        Warn = "warn",
        /// Pass over the event, counted.
        Skip = "skip",
        /// Pass over the event without a line in the log, counted.
        Ignore = "ignore",
    }

    /// `event.converting.failure.handling.mode`: a value that cannot be converted to its schema.
    pub enum EventConvertingFailureHandlingMode {
        /// Stop, naming the column.
        Fail = "fail",
        /// Log a warning; the value becomes null.
        Warn = "warn",
        /// The value becomes null, counted.
        Skip = "skip",
    }

    /// `snapshot.mode`: what is read before streaming.
    pub enum SnapshotMode {
        /// All rows at every start.
        Always = "always",
        /// All rows when there is no stored offset.
        Initial = "initial" | "exported",
        /// All rows when there is no stored offset, then stop.
        InitialOnly = "initial_only",
        /// Table definitions only, then stream from now.
        NoData = "no_data" | "schema_only",
        /// Table definitions again for a stored offset whose schema history is lost.
        Recovery = "recovery" | "schema_only_recovery",
        /// All rows when there is no offset, or when the server no longer has it.
        WhenNeeded = "when_needed",
        /// By the `snapshot.mode.configuration.based.*` options.
        ConfigurationBased = "configuration_based",
        /// A Java class of the user's.
        Custom = "custom",
        /// Nothing is read; streaming starts where the offset says (removed from Debezium in 2.6).
        Never = "never",
    }

    /// `snapshot.locking.mode`: how tables are held still while a snapshot begins.
    pub enum SnapshotLockingMode {
        /// A global read lock while definitions and position are read.
        Minimal = "minimal",
        /// Percona's backup lock.
        MinimalPercona = "minimal_percona",
        /// Percona's backup lock, without table locks.
        MinimalPerconaNoTableLocks = "minimal_percona_no_table_locks",
        /// As minimal, with rows read outside the consistent snapshot (internal).
        MinimalAtLeastOnce = "minimal_at_least_once",
        /// A global read lock for the whole snapshot.
        Extended = "extended",
        /// Share locks on the tables (PostgreSQL).
        Shared = "shared",
        /// No locks.
        None = "none",
        /// A Java class of the user's.
        Custom = "custom",
    }

    /// `database.ssl.mode`: whether the connection is encrypted and whom it trusts. MySQL's words; MariaDB's
    /// (`disable`, `trust`, `verify-ca`, `verify-full`) and PostgreSQL's are taken as well.
    pub enum SslMode {
        /// Never TLS.
        Disabled = "disabled" | "disable",
        /// TLS when the server offers it, without checking its certificate.
        Preferred = "preferred" | "prefer",
        /// TLS or no connection, without checking the certificate.
        Required = "required" | "require" | "trust",
        /// TLS, and the certificate must come from a trusted authority.
        VerifyCa = "verify_ca" | "verify-ca",
        /// As verify_ca, and the certificate must name the host.
        VerifyIdentity = "verify_identity" | "verify-identity" | "verify-full",
    }

    /// `errors.tolerance`: what Connect does with a record that a converter or transform cannot handle.
    pub enum ErrorsTolerance {
        /// Stop.
        None = "none",
        /// Skip the record, with a log line when asked for, and a counter always.
        All = "all",
    }

    /// `decimal.format` of the JSON converter.
    pub enum DecimalFormat {
        /// The unscaled number's bytes as base64 text.
        Base64 = "BASE64",
        /// A JSON number.
        Numeric = "NUMERIC",
    }

    /// `key.subject.name.strategy` and `value.subject.name.strategy` of the registry converters.
    pub enum SubjectNameStrategy {
        /// `<topic>-key`, `<topic>-value`.
        TopicName = "io.confluent.kafka.serializers.subject.TopicNameStrategy" | "TopicNameStrategy",
        /// The record's full name.
        RecordName = "io.confluent.kafka.serializers.subject.RecordNameStrategy" | "RecordNameStrategy",
        /// `<topic>-<record's full name>`.
        TopicRecordName = "io.confluent.kafka.serializers.subject.TopicRecordNameStrategy"
            | "TopicRecordNameStrategy",
    }

    /// Which edition of `column.mask.hash…` a mask asks for.
    pub enum HashVersion {
        /// `column.mask.hash.`: hashes the Java serialisation of the value.
        V1 = "v1",
        /// `column.mask.hash.v2.`: hashes the text of the value.
        V2 = "v2",
    }

    /// `topic.naming.strategy`: the stock classes.
    pub enum TopicNamingStrategy {
        /// `<prefix>.<database>.<table>`.
        Default = "io.debezium.schema.DefaultTopicNamingStrategy",
        /// `<prefix>.<schema>.<table>`.
        Schema = "io.debezium.schema.SchemaTopicNamingStrategy",
        /// As default, then rewritten by `topic.regex` and `topic.replacement`.
        DefaultRegex = "io.debezium.schema.DefaultRegexTopicNamingStrategy",
        /// As schema, then rewritten by `topic.regex` and `topic.replacement`.
        SchemaRegex = "io.debezium.schema.SchemaRegexTopicNamingStrategy",
        /// As default; illegal characters, and `_` itself, become `_uXXXX`.
        DefaultUnicode = "io.debezium.schema.DefaultUnicodeTopicNamingStrategy",
        /// As schema; illegal characters, and `_` itself, become `_uXXXX`.
        SchemaUnicode = "io.debezium.schema.SchemaUnicodeTopicNamingStrategy",
    }

    /// `snapshot.tables.order.by.row.count`.
    pub enum SnapshotTablesOrder {
        /// Small tables first.
        Ascending = "ascending",
        /// Large tables first.
        Descending = "descending",
        /// By name.
        Disabled = "disabled",
    }

    /// `guardrail.collections.limit.action`.
    pub enum GuardrailAction {
        /// Log a warning.
        Warn = "warn",
        /// Stop.
        Fail = "fail",
    }

    /// `incremental.snapshot.watermarking.strategy`.
    pub enum WatermarkStrategy {
        /// Both watermarks are inserted.
        InsertInsert = "INSERT_INSERT",
        /// The second watermark deletes the first.
        InsertDelete = "INSERT_DELETE",
    }
}

#[expect(clippy::derivable_impls, reason = "the macro declares enums of which most have no default of their own")]
impl Default for DebeziumGeneration {
    fn default() -> Self {
        DebeziumGeneration::V3_6
    }
}

/// `skipped.operations`: the operations of which no event is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SkippedOperations {
    /// `r`: rows read by a snapshot.
    pub read: bool,
    /// `c`: inserts.
    pub create: bool,
    /// `u`: updates.
    pub update: bool,
    /// `d`: deletes.
    pub delete: bool,
    /// `t`: truncated tables.
    pub truncate: bool,
}

impl SkippedOperations {
    /// Reads Debezium's list (`t`, `c,u`, `none`); `None` for a word that is not one of them, and for
    /// `none` beside others.
    pub fn parse(list: &str) -> Option<SkippedOperations> {
        let mut skipped = SkippedOperations::default();
        if list.trim().eq_ignore_ascii_case("none") {
            return Some(skipped);
        }
        for word in list.split(',').map(str::trim) {
            match word.to_ascii_lowercase().as_str() {
                "r" => skipped.read = true,
                "c" => skipped.create = true,
                "u" => skipped.update = true,
                "d" => skipped.delete = true,
                "t" => skipped.truncate = true,
                "" => {}
                _ => return None,
            }
        }
        Some(skipped)
    }
}

impl BinaryHandlingMode {
    /// Bytes as this mode writes them; `None` where it leaves them as they are.
    pub fn text(self, bytes: &[u8]) -> Option<String> {
        match self {
            BinaryHandlingMode::Bytes => None,
            BinaryHandlingMode::Base64 => Some(STANDARD.encode(bytes)),
            BinaryHandlingMode::Base64UrlSafe => Some(URL_SAFE.encode(bytes)),
            BinaryHandlingMode::Hex => Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_and_older_ones_are_taken() {
        for mode in SnapshotMode::ALL {
            assert_eq!(SnapshotMode::parse(mode.as_str()), Some(*mode));
        }
        for mode in SslMode::ALL {
            assert_eq!(SslMode::parse(&format!(" {} ", mode.as_str().to_uppercase())), Some(*mode));
        }
        assert_eq!(SnapshotMode::parse("Schema_Only"), Some(SnapshotMode::NoData));
        assert_eq!(SslMode::parse("verify-full"), Some(SslMode::VerifyIdentity));
        assert_eq!(BinaryHandlingMode::parse("base32"), None);
        assert_eq!(BinaryHandlingMode::WORDS.len(), BinaryHandlingMode::ALL.len());
    }

    #[test]
    fn skipped_operations_are_debeziums_list() {
        let check = |list: &str, expected: Option<(bool, bool, bool, bool)>| {
            let parsed = SkippedOperations::parse(list).map(|s| (s.create, s.update, s.delete, s.truncate));
            assert_eq!(parsed, expected, "{list}");
        };
        check("t", Some((false, false, false, true)));
        check("none", Some((false, false, false, false)));
        check("", Some((false, false, false, false)));
        check("c, U,d", Some((true, true, true, false)));
        check("r", Some((false, false, false, false)));
        check("x", None);
        check("none,c", None);
    }
}
