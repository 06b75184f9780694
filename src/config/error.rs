//! What can be wrong with a configuration, and what is only worth saying.
//!
//! In: the finding. Out: a sentence with the property, what stands there and what is expected, and the page
//! that `headwater explain` prints. Promised: a value is shown only through [`Shown`], so that no sentence
//! carries a secret.

use std::fmt;
use std::path::PathBuf;

use crate::error::{Code, Coded, Disposition};
use crate::util::java_regex::RegexError;

use super::secret::Shown;

/// A configuration that cannot be used. All of a file's findings are reported at once.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read at all.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is not what its name says.
    #[error("{}:{line}:{column}: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The same key twice in one file.
    #[error("{}:{line}:{column}: '{key}' stands there twice", path.display())]
    DuplicateKey {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// The key.
        key: String,
    },
    /// No name for the connector.
    #[error("{}: the connector has no 'name'", path.display())]
    NameMissing {
        /// The file.
        path: PathBuf,
    },
    /// A variable `${provider:path:key}` without a value.
    #[error("{property}: {variable} cannot be resolved: {reason}")]
    Unresolved {
        /// Where the variable stands.
        property: String,
        /// The variable as written.
        variable: String,
        /// Why.
        reason: String,
    },
    /// A config provider that only Java has.
    #[error("config.providers.{name}.class: {class} is not one of the providers that are built in")]
    UnknownProvider {
        /// The provider's name.
        name: String,
        /// Its Java class.
        class: String,
    },
    /// A required property is not there.
    #[error("{property} is required: {about}{}", suggestion.as_ref().map_or(String::new(), |found| format!(" (found '{found}': a typo?)")))]
    Missing {
        /// The property.
        property: String,
        /// What it says.
        about: String,
        /// A property of the file that looks like it.
        suggestion: Option<String>,
    },
    /// A value that the property does not take.
    #[error("{property}: {value} is not {expected}")]
    Invalid {
        /// The property.
        property: String,
        /// What stands there.
        value: Shown,
        /// What it takes.
        expected: String,
    },
    /// A regular expression that cannot be used.
    #[error("{property}: {error}")]
    Regex {
        /// The property.
        property: String,
        /// The place and the reason.
        error: RegexError,
    },
    /// Two properties that exclude each other.
    #[error("{property} and {other} cannot both be set: {reason}")]
    Conflict {
        /// The one.
        property: String,
        /// The other.
        other: String,
        /// Why not.
        reason: String,
    },
    /// Today's name and an old name of one option, with different values.
    #[error("{old} is the old name of {new}, and the two have different values: remove {old}")]
    OldAndNew {
        /// The name of an earlier generation.
        old: String,
        /// Today's name.
        new: String,
    },
    /// Something that works in Debezium and does not work here yet.
    #[error("{property}: {value} is not supported: {reason}")]
    Refused {
        /// The property.
        property: String,
        /// What stands there.
        value: Shown,
        /// Why, and what to do instead.
        reason: String,
    },
    /// A transform or predicate of a class that is not built in.
    #[error("{place}: '{name}' asks for {class}, which is not built in{}", meant_or_stock(meant.as_ref(), stock))]
    Transform {
        /// `transforms` or `predicates`.
        place: &'static str,
        /// The name in that list.
        name: String,
        /// The Java class.
        class: Shown,
        /// The class that it looks like.
        meant: Option<&'static str>,
        /// The classes that are built in.
        stock: Vec<&'static str>,
    },
    /// A transform or predicate cannot be made of its options.
    #[error("{property}: {reason}")]
    TransformOptions {
        /// `transforms.NAME` or `predicates.NAME`.
        property: String,
        /// What is wrong with them.
        reason: String,
        /// The page.
        code: &'static Code,
    },
    /// A Java class of the user's, or a stock one that is not built in.
    #[error("{property}: the Java class {class} is not built in{}", stock_classes(stock))]
    JavaClass {
        /// The property.
        property: String,
        /// The class.
        class: Shown,
        /// The classes that are.
        stock: Vec<&'static str>,
    },
    /// `connector.class` names something else.
    #[error("connector.class: {class} is not a connector of this program")]
    UnknownConnector {
        /// The class.
        class: String,
    },
}

fn meant_or_stock(meant: Option<&&str>, stock: &[&str]) -> String {
    match meant {
        Some(meant) => format!("; did you mean {meant}?"),
        None => stock_classes(stock),
    }
}

fn stock_classes(stock: &[&str]) -> String {
    if stock.is_empty() { String::new() } else { format!("; built in are: {}", stock.join(", ")) }
}

/// Every code of this room, for `headwater explain`.
pub const CODES: &[Code] = &[
    UNREADABLE,
    SYNTAX,
    DUPLICATE_KEY,
    NAME_MISSING,
    UNRESOLVED,
    UNKNOWN_PROVIDER,
    MISSING,
    INVALID,
    REGEX,
    CONFLICT,
    OLD_AND_NEW,
    REFUSED,
    TRANSFORM,
    JAVA_CLASS,
    UNKNOWN_CONNECTOR,
];

const fn page(number: u16, title: &'static str, hint: &'static str) -> Code {
    Code { number, disposition: Disposition::Stop, title, hint }
}

const UNREADABLE: Code = page(
    100,
    "A configuration file cannot be read.",
    "Check the path, and that the user this process runs as may read the file. Files over 16 MiB are refused.",
);
const SYNTAX: Code = page(
    101,
    "A configuration file is not well formed.",
    "Mend the line named. .json holds {\"name\": …, \"config\": {…}} or the bare map; .properties is Java's format; .yaml and .yml hold the same maps. All values are plain text, numbers or booleans.",
);
const DUPLICATE_KEY: Code = page(
    102,
    "A key stands twice in one configuration file.",
    "Remove one of the two: which of them counts would be a guess.",
);
const NAME_MISSING: Code = page(
    103,
    "A connector file has no name.",
    "Add \"name\": it is the connector's identity in the offsets topic, so keep the one that Kafka Connect used.",
);
const UNRESOLVED: Code = page(
    104,
    "A variable such as ${env:X} has no value.",
    "Set the environment variable, or mend the path and key. ${env:NAME}, ${file:/path/to/file.properties:key} and ${dir:/path:file} are there for files of the command line; other names, and all for connectors that come by REST or from the store, come from config.providers of the worker.",
);
const UNKNOWN_PROVIDER: Code = page(
    105,
    "A config provider is a Java class that is not built in.",
    "Use EnvVarConfigProvider, FileConfigProvider or DirectoryConfigProvider; secret stores usually offer to mount or export what they hold.",
);
const MISSING: Code = page(
    110,
    "A required property is missing.",
    "Add it. `headwater config` prints what each property means; a typo in its name has the same effect as leaving it out.",
);
const INVALID: Code = page(
    111,
    "A property has a value that it does not take.",
    "Use one of the values or a number within the bounds that the message names.",
);
const REGEX: Code = page(
    112,
    "A regular expression cannot be used.",
    "Filters are comma-separated Java regular expressions, matched against the whole name in any case. The place at fault stands between » and «. A comma inside an expression is written \\,.",
);
const CONFLICT: Code = page(113, "Two properties exclude each other.", "Remove the one that is not meant.");
const OLD_AND_NEW: Code = page(
    114,
    "An option is set under its old and its new name, with different values.",
    "Remove the old name: which of the two counts would be a guess.",
);
const REFUSED: Code = page(
    115,
    "A value that Debezium knows is not supported here yet.",
    "The message says what to use instead. Nothing is ignored silently: a setting that would change the events is either obeyed or refused.",
);
const TRANSFORM: Code = page(
    116,
    "A transform or predicate is of a Java class that is not built in.",
    "This program loads no Java classes. Use one of the classes that the message lists, or take the name out of `transforms`. To ask for another, open an issue with the class's name, its options and what it does to a record; until then keep this connector on Kafka Connect.",
);
const JAVA_CLASS: Code = page(
    117,
    "A property names a Java class that is not built in.",
    "This program loads no Java classes. Use one of the stock classes that the message lists, or leave the property out.",
);
const UNKNOWN_CONNECTOR: Code = page(
    118,
    "connector.class is not a connector of this program.",
    "io.debezium.connector.mysql.MySqlConnector, io.debezium.connector.mariadb.MariaDbConnector and io.debezium.connector.postgresql.PostgresConnector are built in.",
);

impl Coded for ConfigError {
    fn code(&self) -> &'static Code {
        match self {
            ConfigError::Unreadable { .. } => &UNREADABLE,
            ConfigError::Syntax { .. } => &SYNTAX,
            ConfigError::DuplicateKey { .. } => &DUPLICATE_KEY,
            ConfigError::NameMissing { .. } => &NAME_MISSING,
            ConfigError::Unresolved { .. } => &UNRESOLVED,
            ConfigError::UnknownProvider { .. } => &UNKNOWN_PROVIDER,
            ConfigError::Missing { .. } => &MISSING,
            ConfigError::Invalid { .. } => &INVALID,
            ConfigError::Regex { .. } => &REGEX,
            ConfigError::Conflict { .. } => &CONFLICT,
            ConfigError::OldAndNew { .. } => &OLD_AND_NEW,
            ConfigError::Refused { .. } => &REFUSED,
            ConfigError::Transform { .. } => &TRANSFORM,
            ConfigError::TransformOptions { code, .. } => code,
            ConfigError::JavaClass { .. } => &JAVA_CLASS,
            ConfigError::UnknownConnector { .. } => &UNKNOWN_CONNECTOR,
        }
    }
}

/// Why something is worth saying although it can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarningKind {
    /// The option has another name today.
    OldName,
    /// No option has this name; Connect ignores it, and so do we.
    Unknown,
    /// The option is known and changes nothing here.
    NoEffect,
    /// A default is another one than when this file was written.
    ChangedDefault,
    /// A line is overridden by a later one.
    Duplicate,
    /// Usable, and probably not what was meant.
    Advice,
}

/// Something worth saying; never a reason not to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Why it is said.
    pub kind: WarningKind,
    /// The property.
    pub property: String,
    /// The sentence, without the property's name in front.
    pub text: String,
}

impl Warning {
    /// A warning about one property. Parts of its name that are secret are masked here.
    pub fn new(kind: WarningKind, property: &str, text: impl Into<String>) -> Warning {
        Warning { kind, property: super::secret::shown_name(property), text: text.into() }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.property, self.text)
    }
}
