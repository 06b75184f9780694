//! Predicates: what a transform may ask of a record before it works on it.

use super::connect;
use super::error::TransformError;
use crate::model::record::Record;
use crate::util::class_options::{ClassOption, Options};

/// Every predicate there is. A new one is one file and one line here.
pub static SPECS: &[&PredicateSpec] =
    &[&connect::has_header_key::SPEC, &connect::record_is_tombstone::SPEC, &connect::topic_name_matches::SPEC];

/// Says yes or no to a record. One for each encode worker.
pub trait Predicate: Send {
    /// The answer.
    ///
    /// # Errors
    /// When it cannot be given.
    fn test(&self, record: &Record<'_>) -> Result<bool, TransformError>;

    /// Whether it looks at the header of this name.
    fn wants_header(&self, _name: &str) -> bool {
        false
    }

    /// Between two batches: gives back memory that has grown beyond its bound.
    fn rest(&mut self) {}
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
    super::by_class(SPECS, |spec| spec.aliases, class)
}
