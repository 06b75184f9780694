//! Plans: how the values of one schema on one topic are written, made once and found again.
//!
//! In: topic and schema. Out: a converter's plan. Promised: the plan used last is found by comparing two pointers; a
//! registry that does not answer is asked again for as long as `errors.retry.timeout` says, visibly. Nothing here
//! survives a crash: schemas are registered again, and registering one twice is registering it once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::encode::Encoding;
use super::error::PipelineError;
use super::status::Part;
use crate::error::{Coded, Disposition, Failure};
use crate::model::record::{Header, Typed};
use crate::model::schema::Schema;
use crate::model::value::{Arena, ValueError, ValueRef};
use crate::serialize::{Converter, Outcome, Plan, RecordPart, SerializeError};
use crate::util::backoff::Backoff;
use crate::util::clock;

/// Plans that a worker keeps for one role; beyond it all are made again as they are needed. Transforms make topics
/// of what rows say, without a bound.
const PLANS_MAXIMUM: usize = 16 * 1024;

/// The first pause before a converter is asked again, as in Connect.
const FIRST_DELAY: Duration = Duration::from_millis(300);

struct Planned {
    topic: Arc<str>,
    schema: Option<Arc<Schema>>,
    plan: Arc<dyn Plan>,
    /// Whether the plan looks at more of a record than its schema.
    by_record: bool,
}

impl Planned {
    fn new(topic: &Arc<str>, schema: Option<&Arc<Schema>>, plan: Arc<dyn Plan>) -> Self {
        let by_record = plan.by_record().is_some();
        Planned { topic: topic.clone(), schema: schema.cloned(), plan, by_record }
    }

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
pub(super) struct Plans {
    /// The batch that is being encoded.
    ordinal: u64,
    last: Option<Planned>,
    /// By the addresses of topic and schema, which the entry itself keeps alive.
    all: HashMap<(usize, usize), Planned>,
    /// Whether it is said when records of one topic do not have the same fields in this role.
    compares: bool,
}

impl Plans {
    /// Those of keys: it is said when the keys of one topic have different fields.
    pub(super) fn of_keys() -> Self {
        Plans { compares: true, ..Plans::default() }
    }

    /// The batch with this ordinal is encoded next.
    pub(super) fn begin(&mut self, ordinal: u64) {
        self.ordinal = ordinal;
    }

    /// Forgets the plans of some topics.
    pub(super) fn forget(&mut self, is_old: impl Fn(&Arc<str>) -> bool) {
        self.all.retain(|_, planned| !is_old(&planned.topic));
    }

    fn find(
        &mut self,
        encoding: &Encoding,
        converter: &Arc<dyn Converter>,
        topic: &Arc<str>,
        schema: Option<&Arc<Schema>>,
    ) -> Result<&Planned, Failure> {
        if !self.last.as_ref().is_some_and(|last| last.is_for(topic, schema)) {
            let schema_address = schema.map_or(0, |schema| Arc::as_ptr(schema) as usize);
            let key = (Arc::as_ptr(topic).cast::<u8>() as usize, schema_address);
            let planned = match self.all.get(&key) {
                Some(planned) => planned.plan.clone(),
                None => {
                    // A registry gives versions in the order of registering, so they must come in that of the stream.
                    encoding.turns.wait(self.ordinal, &encoding.abort);
                    let plan = ask(encoding, topic, &mut || converter.prepare(topic, schema))?;
                    let known = schema.filter(|_| self.compares);
                    if let Some(error) = known.and_then(|schema| encoding.topic_keys.compare(topic, schema)) {
                        tracing::warn!(code = %error.code(), reason = %error, hint = error.code().hint, "keys differ");
                    }
                    if self.all.len() >= PLANS_MAXIMUM {
                        self.all.clear();
                    }
                    self.all.insert(key, Planned::new(topic, schema, plan.clone()));
                    plan
                }
            };
            self.last = Some(Planned::new(topic, schema, planned));
        }
        self.last.as_ref().ok_or_else(|| ValueError::Shape.into())
    }
}

/// Asks a converter for what may need a registry, again and again while only the weather is against it.
fn ask<T>(encoding: &Encoding, topic: &str, once: &mut dyn FnMut() -> Result<T, SerializeError>) -> Result<T, Failure> {
    let (rules, counts) = (&encoding.processing.errors, &encoding.metrics.task_errors);
    let mut backoff = Backoff::new(FIRST_DELAY.min(rules.retry_delay_max), rules.retry_delay_max);
    let deadline = rules.retry_timeout.map(|timeout| (clock::moment() + timeout, timeout));
    let _waits = encoding.metrics.encoders.wait_for_registry();
    loop {
        let failure: Failure = match once() {
            Ok(made) => {
                if backoff.attempts() > 0 {
                    tracing::info!(topic, attempts = backoff.attempts(), "the schema registry answers again");
                    encoding.board.recovered(Part::Registry);
                }
                return Ok(made);
            }
            Err(error) => error.into(),
        };
        if failure.code.disposition != Disposition::Retry {
            return Err(failure);
        }
        counts.failures.add(1);
        if let Some((deadline, timeout)) = deadline
            && clock::left_until(deadline).is_none()
        {
            let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
            return Err(PipelineError::RetriesEnded { timeout_ms, message: failure.to_string() }.into());
        }
        let delay = backoff.next_delay();
        let delay = deadline.map_or(delay, |(end, _)| delay.min(clock::left_until(end).unwrap_or(Duration::ZERO)));
        tracing::warn!(code = %failure.code, reason = %failure.message, topic, attempt = backoff.attempts(), "the schema registry does not answer; nothing flows until it does");
        encoding.board.restarting(Part::Registry, failure.clone(), backoff.attempts(), delay);
        if encoding.abort.wait(delay) {
            return Err(failure);
        }
        counts.retries.add(1);
    }
}

/// Appends the bytes of a key, value or header of a record with these headers; `None` for null.
pub(super) fn write_part(
    plans: &mut Plans,
    encoding: &Encoding,
    converter: &Arc<dyn Converter>,
    topic: &Arc<str>,
    (part, headers): (&Typed<'_>, &[Header<'_>]),
    arena: &Arena,
    buffer: &mut Vec<u8>,
) -> Result<Option<std::ops::Range<u32>>, Failure> {
    if matches!(part.value, ValueRef::Null) && part.schema.is_none_or(|schema| converter.is_tombstone(schema)) {
        return Ok(None);
    }
    let ordinal = plans.ordinal;
    let planned = plans.find(encoding, converter, topic, part.schema)?;
    let start = buffer.len();
    let written = if planned.by_record {
        let record = RecordPart { value: &part.value, headers };
        write_by_record(encoding, ordinal, planned, &record, arena, buffer)?
    } else {
        planned.plan.write(&part.value, arena, buffer)?
    };
    if !written {
        return Ok(None);
    }
    match (u32::try_from(start), u32::try_from(buffer.len())) {
        (Ok(start), Ok(end)) => Ok(Some(start..end)),
        _ => Err(PipelineError::BatchTooLarge { topic: topic.to_string(), bytes: buffer.len() }.into()),
    }
}

/// Writes a part whose plan may have to ask a registry again, because of what the record says.
#[cold]
fn write_by_record(
    encoding: &Encoding,
    ordinal: u64,
    planned: &Planned,
    record: &RecordPart<'_>,
    arena: &Arena,
    buffer: &mut Vec<u8>,
) -> Result<bool, Failure> {
    let plan = planned.plan.by_record().ok_or(ValueError::Shape)?;
    let outcome = match plan.write_record(record, false, arena, buffer)? {
        Outcome::Unprepared => {
            encoding.turns.wait(ordinal, &encoding.abort);
            ask(encoding, &planned.topic, &mut || plan.write_record(record, true, arena, buffer))?
        }
        outcome @ (Outcome::Written | Outcome::Null) => outcome,
    };
    Ok(outcome == Outcome::Written)
}
