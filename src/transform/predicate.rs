//! Predicates: what a transform may ask of a record before it works on it.

use super::error::TransformError;
use crate::model::record::Record;
use crate::util::class_options::{ClassOption, Options};

/// Every predicate there is. A new one is one file and one line here.
pub static SPECS: &[&PredicateSpec] = &[];

/// Says yes or no to a record. One for each encode worker.
pub trait Predicate: Send {
    /// The answer.
    fn test(&self, record: &Record<'_>) -> bool;

    /// Whether it looks at the header of this name.
    fn wants_header(&self, _name: &str) -> bool {
        false
    }
}

/// Makes a predicate of its options.
pub type Build = fn(&Options<'_>) -> Result<Box<dyn Predicate>, TransformError>;

/// One predicate: its names, what it takes, how it is made.
pub struct PredicateSpec {
    /// Its short name.
    pub name: &'static str,
    /// The Java classes that it stands for.
    pub aliases: &'static [&'static str],
    /// What it asks, in a line.
    pub about: &'static str,
    /// What can be set, beneath `predicates.NAME.`.
    pub options: &'static [&'static [ClassOption]],
    /// Makes it.
    pub build: Build,
}

/// The predicate that a configuration names by its Java class.
pub fn find(class: &str) -> Option<&'static PredicateSpec> {
    let simple = |full: &str| full.rsplit('.').next().is_some_and(|last| last == class);
    SPECS.iter().find(|spec| spec.aliases.iter().any(|alias| *alias == class || simple(alias))).copied()
}
