//! Transforms: Kafka Connect's single message transformations, between the envelope and the serializers.
//!
//! In: one [`Record`], borrowed. Out: the same record changed, or none. Promised: a record on its way through a chain
//! is never copied into a tree: a transform puts views ([`crate::model::value::StructView`]) and references into the
//! batch's arena, and schemas and topic names that it makes are made once and kept ([`memo`]). No input or output, no
//! clock, no other transform. Nothing here survives a crash: a transform has no state that a record depends on.
//!
//! ```text
//!  transforms=a,b ─▶ Setup (checked once) ─▶ Chain (one for each encode worker)
//!  Record ─▶ predicate? ─▶ a.apply ─▶ predicate? ─▶ b.apply ─▶ Record or nothing
//! ```

pub mod chain;
pub mod connect;
pub mod debezium;
pub mod error;
pub mod expression;
pub mod memo;
pub mod predicate;

pub use chain::{Chain, Setup};
pub use error::TransformError;

use crate::model::record::Record;
use crate::model::value::Arena;
use crate::util::class_options::{ClassOption, Options};

/// Every transform there is. A new one is one file and one line here.
pub static SPECS: &[&TransformSpec] = &[
    &connect::cast::SPEC,
    &connect::drop_headers::SPEC,
    &connect::extract_field::SPEC,
    &connect::filter::SPEC,
    &connect::flatten::SPEC,
    &connect::header_from::SPEC,
    &connect::hoist_field::SPEC,
    &connect::insert_field::SPEC,
    &connect::insert_header::SPEC,
    &connect::mask_field::SPEC,
    &connect::regex_router::SPEC,
    &connect::replace_field::SPEC,
    &connect::set_schema_metadata::SPEC,
    &connect::timestamp_converter::SPEC,
    &connect::timestamp_router::SPEC,
    &connect::value_to_key::SPEC,
    &debezium::by_logical_table_router::SPEC,
    &debezium::content_based_router::SPEC,
    &debezium::decode_logical_decoding_message_content::SPEC,
    &debezium::enforce_record_size::SPEC,
    &debezium::event_router::SPEC,
    &debezium::extract_changed_record_state::SPEC,
    &debezium::extract_new_record_state::SPEC,
    &debezium::extract_schema_to_new_record::SPEC,
    &debezium::filter::SPEC,
    &debezium::geometry_format_transformer::SPEC,
    &debezium::header_to_value::SPEC,
    &debezium::partition_routing::SPEC,
    &debezium::read_to_insert_event::SPEC,
    &debezium::schema_change_event_filter::SPEC,
    &debezium::swap_geometry_coordinates::SPEC,
    &debezium::timezone_converter::SPEC,
    &debezium::vector_to_json_converter::SPEC,
];

/// Which part of a record a class works on: Connect has `ValueToKey` for the whole, `Cast$Key` and `Cast$Value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The class has no `$Key` and `$Value`.
    Record,
    /// `$Key`
    Key,
    /// `$Value`
    Value,
}

/// Changes records. One for each encode worker, so it may keep what it has made without locks: [`memo`].
pub trait Transform: Send {
    /// What becomes of a record; `None` leaves it out. What is made on the way lies in the arena, which is reset
    /// after the batch without dropping what is in it: put nothing there that owns memory.
    ///
    /// # Errors
    /// When the record is not what the transform can work on; `errors.tolerance` says what then happens.
    fn apply<'a>(&'a self, record: Record<'a>, arena: &'a Arena) -> Result<Option<Record<'a>>, TransformError>;

    /// Whether it looks at the header of this name. Those that every record of a connector has
    /// (`__debezium.context.*`) are put on a record only for those who ask.
    fn wants_header(&self, _name: &str) -> bool {
        false
    }

    /// Between two batches: gives back memory that has grown beyond its bound.
    fn rest(&mut self) {}
}

/// An option that must be set.
fn required<'c>(options: &Options<'c>, name: &str) -> Result<&'c str, TransformError> {
    options.text(name).ok_or_else(|| TransformError::unset(name))
}

/// Makes a transform of its options, once for the check of the configuration and once for each encode worker.
pub type Build = fn(&Options<'_>, Target) -> Result<Box<dyn Transform>, TransformError>;

/// One transform: its names, what it takes, how it is made.
pub struct TransformSpec {
    /// Its short name.
    pub name: &'static str,
    /// The Java classes that it stands for, without `$Key` and `$Value`.
    pub aliases: &'static [&'static str],
    /// What it does, in a line.
    pub about: &'static str,
    /// Which parts of a record it works on: `[Record]`, or `[Key, Value]`.
    pub targets: &'static [Target],
    /// What can be set, beneath `transforms.NAME.`.
    pub options: &'static [&'static [ClassOption]],
    /// Makes it.
    pub build: Build,
}

/// The transform that a configuration names by its Java class, with the part that the class works on.
pub fn find(class: &str) -> Option<(&'static TransformSpec, Target)> {
    let (base, target) = match class.rsplit_once('$') {
        Some((base, "Key")) => (base, Target::Key),
        Some((base, "Value")) => (base, Target::Value),
        Some(_) => return None,
        None => (class, Target::Record),
    };
    by_class(SPECS, |spec| spec.aliases, base).filter(|spec| spec.targets.contains(&target)).map(|spec| (spec, target))
}

/// The entry of a table that a class names: by its full name, or by its simple name where only one has it, as Connect's
/// plugin aliases do.
fn by_class<S>(table: &[&'static S], aliases: fn(&S) -> &'static [&'static str], class: &str) -> Option<&'static S> {
    if let Some(spec) = table.iter().find(|spec| aliases(spec).contains(&class)) {
        return Some(spec);
    }
    let simple = |full: &&str| full.rsplit('.').next() == Some(class);
    let found: Vec<&'static S> = table.iter().filter(|spec| aliases(spec).iter().any(simple)).copied().collect();
    match found.as_slice() {
        [one] => Some(one),
        // Debezium's scripting classes come with its image only where they are asked for: without them `Filter` is
        // Connect's.
        several => {
            several.iter().find(|spec| aliases(spec).iter().any(|full| full.starts_with("org.apache.kafka."))).copied()
        }
    }
}
