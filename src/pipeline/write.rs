//! How a worker writes one record: through the transforms, then the converters, into the batch's buffer.
//!
//! In: a record of the envelope. Out: its bytes behind those before it, or nothing where a transform leaves it out
//! or a setting says that a record that fails is left out. Promised: a record is written whole or not at all; plans
//! and topics are found by comparing pointers. Nothing here survives a crash.
//!
//! ```text
//!  envelope ─▶ Record ─▶ chain (with the context headers, where it asks for them) ─▶ converters ─▶ EncodedBatch
//! ```

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::encode::Encoding;
use super::status::Part;
use crate::error::{Disposition, Failure};
use crate::model::encoded::{EncodedBatch, EncodedHeader, EncodedRecord, Step};
use crate::model::modes::{ErrorsTolerance, EventProcessingFailureHandlingMode};
use crate::model::record::{Header, Record, Typed};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, ValueRef};
use crate::observe::pulse::Activity;
use crate::serialize::{Converter, Plan};
use crate::transform::{Chain, Setup};
use crate::util::backoff::Backoff;

/// Plans that a worker keeps for one role; beyond it all are made again as they are needed. Transforms make topics
/// of what rows say, without a bound.
const PLANS_MAXIMUM: usize = 16 * 1024;

/// What becomes of records on their way from the envelope to the converters.
#[derive(Clone, Debug)]
pub struct Processing {
    /// `transforms`.
    pub transforms: Setup,
    /// The headers that every record has, for transforms that look at them; the sink adds them otherwise.
    pub context_headers: Vec<(String, String)>,
    /// `errors.tolerance`.
    pub tolerance: ErrorsTolerance,
}

struct Planned {
    topic: Arc<str>,
    schema: Option<Arc<Schema>>,
    plan: Arc<dyn Plan>,
}

impl Planned {
    fn is_for(&self, topic: &Arc<str>, schema: Option<&Arc<Schema>>) -> bool {
        let same_schema = match (&self.schema, schema) {
            (Some(mine), Some(theirs)) => Arc::ptr_eq(mine, theirs),
            (None, None) => true,
            _ => false,
        };
        same_schema && Arc::ptr_eq(&self.topic, topic)
    }
}

/// The plans of one role. The last one used is found without a look-up.
#[derive(Default)]
struct Plans {
    /// The batch that is being encoded.
    ordinal: u64,
    last: Option<Planned>,
    /// By the addresses of topic and schema, which the entry itself keeps alive.
    all: HashMap<(usize, usize), Planned>,
}

impl Plans {
    fn find(
        &mut self,
        encoding: &Encoding,
        converter: &Arc<dyn Converter>,
        topic: &Arc<str>,
        schema: Option<&Arc<Schema>>,
    ) -> Result<&Arc<dyn Plan>, Failure> {
        if !self.last.as_ref().is_some_and(|last| last.is_for(topic, schema)) {
            let schema_address = schema.map_or(0, |schema| Arc::as_ptr(schema) as usize);
            let key = (Arc::as_ptr(topic).cast::<u8>() as usize, schema_address);
            let planned = match self.all.get(&key) {
                Some(planned) => planned.plan.clone(),
                None => {
                    // A registry gives versions in the order of registering, so they must come in that of the stream.
                    encoding.turns.wait(self.ordinal, &encoding.abort);
                    let plan = prepare(encoding, converter, topic, schema)?;
                    let planned = Planned { topic: topic.clone(), schema: schema.cloned(), plan: plan.clone() };
                    if self.all.len() >= PLANS_MAXIMUM {
                        self.all.clear();
                    }
                    self.all.insert(key, planned);
                    plan
                }
            };
            self.last = Some(Planned { topic: topic.clone(), schema: schema.cloned(), plan: planned });
        }
        self.last.as_ref().map(|last| &last.plan).ok_or_else(|| crate::model::value::ValueError::Shape.into())
    }
}

/// Asks the converter for a plan, again and again while only the weather is against it.
fn prepare(
    encoding: &Encoding,
    converter: &Arc<dyn Converter>,
    topic: &str,
    schema: Option<&Arc<Schema>>,
) -> Result<Arc<dyn Plan>, Failure> {
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
    encoding.metrics.encoders.set(Activity::BlockedOnRegistry);
    loop {
        let failure: Failure = match converter.prepare(topic, schema) {
            Ok(plan) => {
                if backoff.attempts() > 0 {
                    tracing::info!(topic, attempts = backoff.attempts(), "the schema registry answers again");
                    encoding.board.recovered(Part::Registry);
                }
                encoding.metrics.encoders.set(Activity::Working);
                return Ok(plan);
            }
            Err(error) => error.into(),
        };
        if failure.code.disposition != Disposition::Retry {
            return Err(failure);
        }
        let delay = backoff.next_delay();
        tracing::warn!(code = %failure.code, reason = %failure.message, topic, attempt = backoff.attempts(), "the schema registry does not answer; nothing flows until it does");
        encoding.board.restarting(Part::Registry, failure.clone(), backoff.attempts(), delay);
        if encoding.abort.wait(delay) {
            return Err(failure);
        }
    }
}

/// What a worker writes records with; apart from the arena, which records borrow from while it writes.
pub(super) struct Writer {
    chain: Chain,
    /// The context headers, where a transform asks for one of them.
    context: Vec<(String, String)>,
    text: Arc<Schema>,
    output: Output,
}

/// Behind the transforms.
#[derive(Default)]
struct Output {
    keys: Plans,
    values: Plans,
    headers: Plans,
    /// The topic of the last record and its index in the batch.
    topic: Option<(Arc<str>, u32)>,
    sent: u32,
}

impl Writer {
    /// With a chain of its own.
    pub(super) fn new(processing: &Processing) -> Result<Writer, Failure> {
        let chain = processing.transforms.chain()?;
        let asked = processing.context_headers.iter().any(|(name, _)| chain.wants_header(name));
        let context = if asked { processing.context_headers.clone() } else { Vec::new() };
        Ok(Writer { chain, context, text: Arc::new(Schema::new(Kind::String)), output: Output::default() })
    }

    /// Forgets the plans of some topics: those of a table's old version.
    pub(super) fn forget(&mut self, is_old: impl Fn(&Arc<str>) -> bool) {
        for plans in [&mut self.output.keys, &mut self.output.values, &mut self.output.headers] {
            plans.all.retain(|_, planned| !is_old(&planned.topic));
        }
    }

    /// The batch with this ordinal is encoded next.
    pub(super) fn begin(&mut self, ordinal: u64) {
        for plans in [&mut self.output.keys, &mut self.output.values, &mut self.output.headers] {
            plans.ordinal = ordinal;
        }
    }

    /// A batch begins: nothing of the last one is referred to any more.
    pub(super) fn rest(&mut self) {
        self.chain.rest();
        self.output.topic = None;
        self.output.sent = 0;
    }

    /// Closes the run of records since the last step.
    pub(super) fn flush(&mut self, out: &mut EncodedBatch) {
        let end = u32::try_from(out.records.len()).unwrap_or(u32::MAX);
        if end > self.output.sent {
            out.steps.push(Step::Send(self.output.sent..end));
            self.output.sent = end;
        }
    }

    /// Writes one record.
    ///
    /// # Errors
    /// What ends the connector: a record that fails and is not tolerated.
    pub(super) fn write(
        &mut self,
        encoding: &Encoding,
        record: &Record<'_>,
        arena: &Arena,
        out: &mut EncodedBatch,
    ) -> Result<(), Failure> {
        if self.chain.is_empty() {
            return self.output.write(encoding, record, arena, out);
        }
        let mut changed = *record;
        if changed.context_headers && !self.context.is_empty() {
            changed.headers = with_context(&self.context, &self.text, changed.headers, arena);
            changed.context_headers = false;
        }
        match self.chain.apply(changed, arena) {
            Ok(Some(changed)) => self.output.write(encoding, &changed, arena, out),
            Ok(None) => {
                encoding.metrics.records_filtered.add(1);
                Ok(())
            }
            Err(error) => tolerate(encoding, record, error.into(), Stage::Transformation),
        }
    }
}

/// The context headers behind a record's own, as Debezium puts them there.
fn with_context<'a>(
    context: &'a [(String, String)],
    schema: &'a Arc<Schema>,
    own: &'a [Header<'a>],
    arena: &'a Arena,
) -> &'a [Header<'a>] {
    let header = |(name, value): &'a (String, String)| Header {
        name,
        value: Typed { schema: Some(schema), value: ValueRef::String(value) },
    };
    let all = own.iter().copied().chain(context.iter().map(header));
    bumpalo::collections::Vec::from_iter_in(all, arena).into_bump_slice()
}

impl Output {
    fn write(
        &mut self,
        encoding: &Encoding,
        record: &Record<'_>,
        arena: &Arena,
        out: &mut EncodedBatch,
    ) -> Result<(), Failure> {
        let (bytes, headers) = (out.buffer.len(), out.headers.len());
        match self.append(encoding, record, arena, out) {
            Ok(()) => Ok(()),
            Err(failure) => {
                out.buffer.truncate(bytes);
                out.headers.truncate(headers);
                tolerate(encoding, record, failure, Stage::Conversion)
            }
        }
    }

    fn append(
        &mut self,
        encoding: &Encoding,
        record: &Record<'_>,
        arena: &Arena,
        out: &mut EncodedBatch,
    ) -> Result<(), Failure> {
        let key =
            write_part(&mut self.keys, encoding, &encoding.key, record.topic, &record.key, arena, &mut out.buffer)?;
        let value = write_part(
            &mut self.values,
            encoding,
            &encoding.value,
            record.topic,
            &record.value,
            arena,
            &mut out.buffer,
        )?;
        let first_header = u32::try_from(out.headers.len()).unwrap_or(u32::MAX);
        for header in record.headers {
            let plans = &mut self.headers;
            let value =
                write_part(plans, encoding, &encoding.header, record.topic, &header.value, arena, &mut out.buffer)?;
            out.headers.push(EncodedHeader { name: header.name.into(), value });
        }
        let topic = self.topic_index(record.topic, out);
        out.records.push(EncodedRecord {
            topic,
            partition: record.partition,
            key,
            value,
            headers: first_header..u32::try_from(out.headers.len()).unwrap_or(u32::MAX),
            context_headers: record.context_headers,
            timestamp: record.timestamp,
        });
        Ok(())
    }

    fn topic_index(&mut self, topic: &Arc<str>, out: &mut EncodedBatch) -> u32 {
        if let Some((last, index)) = &self.topic
            && Arc::ptr_eq(last, topic)
        {
            return *index;
        }
        let known = out.topics.iter().position(|known| Arc::ptr_eq(known, topic));
        let index = known.unwrap_or_else(|| {
            out.topics.push(topic.clone());
            out.topics.len() - 1
        });
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        self.topic = Some((topic.clone(), index));
        index
    }
}

fn write_part(
    plans: &mut Plans,
    encoding: &Encoding,
    converter: &Arc<dyn Converter>,
    topic: &Arc<str>,
    part: &Typed<'_>,
    arena: &Arena,
    buffer: &mut Vec<u8>,
) -> Result<Option<std::ops::Range<u32>>, Failure> {
    if part.schema.is_none() && matches!(part.value, ValueRef::Null) {
        return Ok(None);
    }
    let plan = plans.find(encoding, converter, topic, part.schema)?;
    let start = buffer.len();
    if !plan.write(&part.value, arena, buffer)? {
        return Ok(None);
    }
    match (u32::try_from(start), u32::try_from(buffer.len())) {
        (Ok(start), Ok(end)) => Ok(Some(start..end)),
        _ => Err(super::error::PipelineError::BatchTooLarge { topic: topic.to_string(), bytes: buffer.len() }.into()),
    }
}

/// Where a record failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Transformation,
    Conversion,
}

/// Whether the failure is about bytes of a row that cannot be decoded: Debezium's own matter, not Connect's.
fn is_of_the_row(failure: &Failure) -> bool {
    crate::model::value::CODES.iter().any(|code| std::ptr::eq(*code, failure.code))
}

/// What becomes of a record that cannot be written: for a row that cannot be decoded
/// `event.processing.failure.handling.mode` says so, for transforms and converters `errors.tolerance`.
fn tolerate(encoding: &Encoding, record: &Record<'_>, failure: Failure, stage: Stage) -> Result<(), Failure> {
    let tolerated = match encoding.failure_mode {
        EventProcessingFailureHandlingMode::Fail => false,
        EventProcessingFailureHandlingMode::Warn
        | EventProcessingFailureHandlingMode::Skip
        | EventProcessingFailureHandlingMode::Ignore => stage == Stage::Conversion || is_of_the_row(&failure),
    };
    let tolerated = tolerated || (!is_of_the_row(&failure) && encoding.processing.tolerance == ErrorsTolerance::All);
    if failure.code.disposition != Disposition::Reject || !tolerated {
        return Err(failure);
    }
    if encoding.failure_mode == EventProcessingFailureHandlingMode::Warn {
        tracing::warn!(code = %failure.code, reason = %failure.message, topic = %record.topic, "a record could not be written and is left out, as event.processing.failure.handling.mode says");
    } else {
        tracing::debug!(code = %failure.code, reason = %failure.message, topic = %record.topic, "a record could not be written and is left out");
    }
    encoding.metrics.erroneous.add(1);
    encoding.metrics.records_skipped.add(1);
    Ok(())
}
