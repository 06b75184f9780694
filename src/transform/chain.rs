//! The transforms of one connector, in the order of `transforms`.
//!
//! Source: `org.apache.kafka.connect.runtime.TransformationChain` and `PredicatedTransformation`: each transform is
//! asked in turn, its predicate sees the record as the transforms before it left it, and the first that gives nothing
//! ends the record's way.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::error::TransformError;
use super::predicate::{self, Predicate, PredicateSpec};
use super::{Target, Transform, TransformSpec};
use crate::model::record::{Header, Record};
use crate::model::value::Arena;
use crate::util::class_options::Options;

/// One transform as it is configured.
#[derive(Clone)]
struct Link {
    name: String,
    spec: &'static TransformSpec,
    target: Target,
    options: BTreeMap<String, String>,
    /// Whom it asks, and whether it works where the answer is no.
    predicate: Option<(Asked, bool)>,
}

/// The predicate of a transform.
#[derive(Clone)]
struct Asked {
    name: String,
    spec: &'static PredicateSpec,
    options: BTreeMap<String, String>,
}

/// The transforms of a connector, checked: every encode worker makes its chain of it.
#[derive(Clone, Default)]
pub struct Setup {
    links: Vec<Link>,
}

/// A transform of a worker.
struct Made {
    name: String,
    transform: Box<dyn Transform>,
    predicate: Option<(Box<dyn Predicate>, bool)>,
}

/// The transforms of one worker.
#[derive(Default)]
pub struct Chain {
    made: Vec<Made>,
}

impl fmt::Debug for Setup {
    /// Names and classes; options may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.links.iter().map(|link| (&link.name, link.spec.name))).finish()
    }
}

impl Setup {
    /// Reads `transforms`, `transforms.NAME.*`, `predicates` and `predicates.NAME.*` of a connector's configuration.
    ///
    /// # Errors
    /// Everything that is wrong with them: unknown classes, predicates that are not declared, options.
    pub fn of(config: &BTreeMap<String, String>) -> Result<Setup, Vec<TransformError>> {
        let (mut links, mut errors) = (Vec::new(), Vec::new());
        for name in Options::new(config).list("predicates") {
            // Connect checks those that nobody asks, too.
            if let Err(source) = Asked::of(config, name).and_then(|asked| asked.make().map(drop)) {
                errors.push(TransformError::Predicate { name: name.to_owned(), source: Box::new(source) });
            }
        }
        let mut seen = BTreeSet::new();
        for name in Options::new(config).list("transforms") {
            let twice = TransformError::Options { reason: "transforms names it twice".to_owned() };
            match if seen.insert(name) { Link::of(config, name) } else { Err(twice) } {
                Ok(link) => links.push(link),
                // Reported above.
                Err(TransformError::Predicate { .. }) => {}
                Err(source) => errors.push(TransformError::In { name: name.to_owned(), source: Box::new(source) }),
            }
        }
        if errors.is_empty() { Ok(Setup { links }) } else { Err(errors) }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// The Java class of a transform of this name.
    pub fn class(&self, name: &str) -> Option<&'static str> {
        self.links.iter().find(|link| link.name == name)?.spec.aliases.first().copied()
    }

    /// A worker's chain.
    ///
    /// # Errors
    /// None that [`Setup::of`] did not report.
    pub fn chain(&self) -> Result<Chain, TransformError> {
        Ok(Chain { made: self.links.iter().map(Link::make).collect::<Result<_, _>>()? })
    }
}

impl Link {
    fn of(config: &BTreeMap<String, String>, name: &str) -> Result<Link, TransformError> {
        let mut options = under(config, &format!("transforms.{name}."));
        let class = options.remove("type").unwrap_or_default();
        let (spec, target) = super::find(class.trim())
            .ok_or_else(|| TransformError::UnknownClass { what: "transform", class: class.trim().to_owned() })?;
        let negated = options.contains_key("negate");
        let negate = Options::new(&options).flag("negate", false)?;
        options.remove("negate");
        let asked = options.remove("predicate").map(|asked| asked.trim().to_owned()).filter(|asked| !asked.is_empty());
        let predicate = match asked {
            None if negated => {
                return Err(TransformError::Options { reason: "negate is set, and there is no predicate".to_owned() });
            }
            None => None,
            Some(predicate) if !Options::new(config).list("predicates").contains(&predicate.as_str()) => {
                return Err(TransformError::UnknownPredicate { transform: name.to_owned(), predicate });
            }
            Some(asked) => Some((Asked::of(config, &asked).map_err(|error| of_predicate(asked, error))?, negate)),
        };
        let link = Link { name: name.to_owned(), spec, target, options, predicate };
        link.make()?;
        Ok(link)
    }

    fn make(&self) -> Result<Made, TransformError> {
        let transform = (self.spec.build)(&Options::new(&self.options), self.target)?;
        let predicate = match &self.predicate {
            Some((asked, negate)) => {
                Some((asked.make().map_err(|error| of_predicate(asked.name.clone(), error))?, *negate))
            }
            None => None,
        };
        Ok(Made { name: self.name.clone(), transform, predicate })
    }
}

fn of_predicate(name: String, error: TransformError) -> TransformError {
    TransformError::Predicate { name, source: Box::new(error) }
}

impl Asked {
    fn of(config: &BTreeMap<String, String>, name: &str) -> Result<Asked, TransformError> {
        let mut options = under(config, &format!("predicates.{name}."));
        let class = options.remove("type").unwrap_or_default();
        let spec = predicate::find(class.trim())
            .ok_or_else(|| TransformError::UnknownClass { what: "predicate", class: class.trim().to_owned() })?;
        Ok(Asked { name: name.to_owned(), spec, options })
    }

    fn make(&self) -> Result<Box<dyn Predicate>, TransformError> {
        (self.spec.build)(&Options::new(&self.options))
    }
}

/// The settings beneath a prefix, without it.
fn under(config: &BTreeMap<String, String>, prefix: &str) -> BTreeMap<String, String> {
    let own = |(name, value): (&String, &String)| Some((name.strip_prefix(prefix)?.to_owned(), value.clone()));
    config.iter().filter_map(own).collect()
}

impl Made {
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        if let Some((predicate, negate)) = &self.predicate
            && predicate.test(&record)? == *negate
        {
            return Ok(Some(record));
        }
        self.transform.apply(record, arena)
    }
}

impl Chain {
    /// Whether records pass unchanged.
    pub fn is_empty(&self) -> bool {
        self.made.is_empty()
    }

    /// Whether a transform or predicate looks at this header.
    pub fn wants_header(&self, name: &str) -> bool {
        self.made.iter().any(|made| {
            made.transform.wants_header(name)
                || made.predicate.as_ref().is_some_and(|(predicate, _)| predicate.wants_header(name))
        })
    }

    /// What becomes of a record.
    ///
    /// # Errors
    /// What the first transform that fails says, with its name.
    pub fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError> {
        let mut record = record;
        for made in &self.made {
            record = match made.apply(record, arena) {
                Ok(Some(record)) => record,
                Ok(None) => return Ok(None),
                Err(source) => return Err(TransformError::In { name: made.name.clone(), source: Box::new(source) }),
            };
        }
        Ok(Some(record))
    }

    /// Between batches: gives back memory that has grown.
    pub fn rest(&mut self) {
        for made in &mut self.made {
            made.transform.rest();
            if let Some((predicate, _)) = &mut made.predicate {
                predicate.rest();
            }
        }
    }
}

/// The headers of a record with one more behind them.
pub fn with_header<'a>(headers: &'a [Header<'a>], header: Header<'a>, arena: &'a Arena) -> &'a [Header<'a>] {
    let headers = headers.iter().copied().chain([header]);
    bumpalo::collections::Vec::from_iter_in(headers, arena).into_bump_slice()
}
