//! What becomes of a record that cannot be written: `errors.*` of Kafka Connect and the dead letter topic.
//!
//! In: a record as the envelope made it, and where it failed. Out: the failure, which ends the connector; or nothing,
//! and the record counts as left out, is logged and goes to the dead letter topic, as the settings say. Promised: only
//! what is wrong with one record is ever tolerated; a dead letter is a record of the same batch, so that no position
//! beyond it is stored before the broker has it. Nothing here survives a crash: the record is read again.
//!
//! ```text
//!  Failed ─▶ a row that cannot be decoded? ─yes─▶ event.processing.failure.handling.mode ─┬─▶ the connector stops
//!               └─no─▶ errors.tolerance ──────────────────────────────────────────────────┴─▶ log, count, dead letter
//! ```

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::encode::Encoding;
use super::plans::{Plans, write_part};
use super::write::{index, topic_index};
use crate::error::{Disposition, Failure};
use crate::model::encoded::{EncodedBatch, EncodedHeader, EncodedRecord};
use crate::model::modes::{ErrorsTolerance, EventProcessingFailureHandlingMode};
use crate::model::record::{Record, Typed};
use crate::model::value::{Arena, ValueRef};
use crate::serialize::{self, Converter, Role};
use crate::transform::TransformError;
use crate::util::clock;

/// How failures are dealt with.
#[derive(Clone, Debug)]
pub struct ErrorRules {
    /// The connector's name.
    pub connector: String,
    /// `errors.tolerance`.
    pub tolerance: ErrorsTolerance,
    /// `errors.retry.timeout`; `None` is for ever.
    pub retry_timeout: Option<Duration>,
    /// `errors.retry.delay.max.ms`.
    pub retry_delay_max: Duration,
    /// `errors.log.enable`.
    pub log: bool,
    /// `errors.deadletterqueue.topic.name`.
    pub dead_letters: Option<Arc<str>>,
    /// The classes of the converters for keys, values and headers.
    pub converters: [String; 3],
}

impl ErrorRules {
    /// The class that works at a stage behind the transforms.
    pub(super) fn class(&self, stage: Stage) -> &str {
        let [key, value, header] = &self.converters;
        match stage {
            Stage::Transformation => "",
            Stage::KeyConverter => key,
            Stage::ValueConverter => value,
            Stage::HeaderConverter => header,
        }
    }
}

/// Connect's stages of a source task, as far as records can fail there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Transformation,
    KeyConverter,
    ValueConverter,
    HeaderConverter,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Stage::Transformation => "TRANSFORMATION",
            Stage::KeyConverter => "KEY_CONVERTER",
            Stage::ValueConverter => "VALUE_CONVERTER",
            Stage::HeaderConverter => "HEADER_CONVERTER",
        }
    }
}

/// A record that was not written, and why.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) stage: Stage,
    /// The name of the transform that failed.
    pub(super) transform: Option<String>,
    pub(super) failure: Failure,
}

impl Failed {
    pub(super) fn of_transform(error: TransformError) -> Failed {
        let transform = if let TransformError::In { name, .. } = &error { Some(name.clone()) } else { None };
        Failed { stage: Stage::Transformation, transform, failure: error.into() }
    }

    /// Whether the failure is about bytes of a row that cannot be decoded: Debezium's own matter, not Connect's.
    fn is_of_the_row(&self) -> bool {
        crate::model::value::CODES.iter().any(|code| std::ptr::eq(*code, self.failure.code))
    }

    /// Counts and logs it.
    ///
    /// # Errors
    /// The failure, where no setting says that the record is left out.
    pub(super) fn tolerate(&self, encoding: &Encoding, topic: &str, class: &str) -> Result<(), Failure> {
        let rejects = self.failure.code.disposition == Disposition::Reject;
        if self.is_of_the_row() {
            return if rejects { self.pass_over(encoding, topic) } else { Err(self.failure.clone()) };
        }
        let (rules, counts) = (&encoding.processing.errors, &encoding.metrics.task_errors);
        counts.failures.add(1);
        counts.errors.add(1);
        counts.last_ms.set(clock::now_ms());
        if !rejects || rules.tolerance == ErrorsTolerance::None {
            return Err(self.failure.clone());
        }
        if rules.log {
            tracing::error!(connector = rules.connector, code = %self.failure.code, reason = %self.failure.message, stage = self.stage.name(), class, topic, "a record failed and is left out, as errors.tolerance says");
            counts.logged.add(1);
        }
        counts.skipped.add(1);
        encoding.metrics.records_skipped.add(1);
        Ok(())
    }

    /// As `event.processing.failure.handling.mode` says.
    fn pass_over(&self, encoding: &Encoding, topic: &str) -> Result<(), Failure> {
        let failure = &self.failure;
        match encoding.failure_mode {
            EventProcessingFailureHandlingMode::Fail => return Err(failure.clone()),
            EventProcessingFailureHandlingMode::Warn => {
                tracing::warn!(code = %failure.code, reason = %failure.message, topic, "a row could not be read and is left out, as event.processing.failure.handling.mode says");
            }
            EventProcessingFailureHandlingMode::Skip | EventProcessingFailureHandlingMode::Ignore => {
                tracing::debug!(code = %failure.code, reason = %failure.message, topic, "a row could not be read and is left out");
            }
        }
        encoding.metrics.erroneous.add(1);
        encoding.metrics.records_skipped.add(1);
        Ok(())
    }
}

/// A record that was left out, as the envelope made it, why, and the class that failed.
pub(super) struct Letter<'l> {
    pub(super) record: &'l Record<'l>,
    pub(super) failed: &'l Failed,
    pub(super) class: &'l str,
}

/// Writes records that were left out to the dead letter topic: key and value as JSON, and why as headers.
pub(super) struct DeadLetters {
    topic: Arc<str>,
    json: Option<Arc<dyn Converter>>,
    keys: Plans,
    values: Plans,
    positions: Plans,
}

impl DeadLetters {
    pub(super) fn new(topic: Arc<str>) -> DeadLetters {
        let options = [("schemas.enable", "false"), ("decimal.format", "NUMERIC")];
        let options: BTreeMap<String, String> =
            options.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        // These options are right; if they were not, the letter would still say where and why.
        let json = serialize::build(&options, "JsonConverter", Role::Value, &Arc::new(AtomicBool::new(false))).ok();
        DeadLetters { topic, json, keys: Plans::default(), values: Plans::default(), positions: Plans::default() }
    }

    pub(super) fn begin(&mut self, ordinal: u64) {
        for plans in [&mut self.keys, &mut self.values, &mut self.positions] {
            plans.begin(ordinal);
        }
    }

    /// Adds a letter to the batch.
    pub(super) fn write(
        &mut self,
        encoding: &Encoding,
        letter: &Letter<'_>,
        arena: &Arena,
        out: &mut EncodedBatch,
        last: &mut Option<(Arc<str>, u32)>,
    ) {
        let Self { topic, json, keys, values, positions } = self;
        let Letter { record, failed, class } = letter;
        let json = |plans: &mut Plans, part: &Typed<'_>, out: &mut EncodedBatch| -> Option<Range<u32>> {
            let before = out.buffer.len();
            let part = (part, [].as_slice());
            let written = write_part(plans, encoding, json.as_ref()?, topic, part, arena, &mut out.buffer);
            // A value that cannot be read is what some letters are about: they come without it.
            written.unwrap_or_else(|_| {
                out.buffer.truncate(before);
                None
            })
        };
        let key = json(keys, &record.key, out);
        let value = json(values, &record.value, out);
        let position = source_block(record, arena).and_then(|block| json(positions, &block, out));
        let first = index(out.headers.len());
        out.headers.push(EncodedHeader { name: "__headwater.errors.position".into(), value: position });
        let rules = &encoding.processing.errors;
        let code = failed.failure.code.to_string();
        for (name, text) in [
            ("__headwater.errors.code", code.as_str()),
            ("__connect.errors.topic", record.topic),
            ("__connect.errors.connector.name", &rules.connector),
            ("__connect.errors.task.id", "0"),
            ("__connect.errors.stage", failed.stage.name()),
            ("__connect.errors.class.name", class),
            ("__connect.errors.exception.message", &failed.failure.message),
        ] {
            let start = index(out.buffer.len());
            out.buffer.extend_from_slice(text.as_bytes());
            out.headers.push(EncodedHeader { name: name.into(), value: Some(start..index(out.buffer.len())) });
        }
        let headers = first..index(out.headers.len());
        let topic = topic_index(last, topic, out);
        let (partition, timestamp) = (None, None);
        out.records.push(EncodedRecord { topic, partition, key, value, headers, context_headers: false, timestamp });
        encoding.metrics.task_errors.dead_letters.add(1);
    }
}

/// Debezium's source block, which says where in the log a record comes from.
fn source_block<'a>(record: &Record<'a>, arena: &'a Arena) -> Option<Typed<'a>> {
    let schema = record.value.schema?;
    let place = schema.field_index("source")?;
    let ValueRef::Struct(view) = record.value.value else { return None };
    let value = view.field(place, arena).ok()?;
    Some(Typed { schema: Some(&schema.fields().get(place)?.schema), value })
}
