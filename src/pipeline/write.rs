//! How a worker writes one record: through the transforms, then the converters, into the batch's buffer.
//!
//! In: a record of the envelope. Out: its bytes behind those before it, or nothing where a transform leaves it out
//! or a setting says that a record that fails is left out. Promised: a record is written whole or not at all; plans
//! and topics are found by comparing pointers. Nothing here survives a crash.
//!
//! ```text
//!  envelope ─▶ Record ─▶ chain (with the context headers, where it asks for them) ─▶ converters ─▶ EncodedBatch
//! ```

use std::sync::Arc;

use super::encode::Encoding;
use super::plans::{Plans, write_part};
use super::reselect::Reselection;
use super::tolerance::{DeadLetters, ErrorRules, Failed, Letter, Stage};
use crate::error::Failure;
use crate::model::encoded::{EncodedBatch, EncodedHeader, EncodedRecord, Step};
use crate::model::record::{Header, Record, Typed};
use crate::model::schema::{Kind, Schema};
use crate::model::value::{Arena, ValueRef};
use crate::transform::{Chain, Setup};

/// Names of headers that a worker keeps.
const HEADER_NAMES_MAXIMUM: usize = 64;

/// What becomes of records on their way from the envelope to the converters.
#[derive(Clone)]
pub struct Processing {
    /// `transforms`.
    pub transforms: Setup,
    /// The headers that every record has, for transforms that look at them; the sink adds them otherwise.
    pub context_headers: Vec<(String, String)>,
    /// `errors.*`
    pub errors: ErrorRules,
    /// `post.processors`, which come before the envelope.
    pub reselections: Vec<Reselection>,
}

/// What a worker writes records with; apart from the arena, which records borrow from while it writes.
pub(super) struct Writer {
    chain: Chain,
    /// The context headers.
    context: Vec<(String, String)>,
    /// Whether a transform looks at them; otherwise they are put on a record only behind the chain.
    context_asked: bool,
    text: Arc<Schema>,
    output: Output,
    letters: Option<DeadLetters>,
}

/// Behind the transforms.
#[derive(Default)]
struct Output {
    keys: Plans,
    values: Plans,
    headers: Plans,
    header_names: Vec<Arc<str>>,
    /// The topic of the last record and its index in the batch.
    topic: Option<(Arc<str>, u32)>,
    sent: u32,
}

impl Writer {
    /// With a chain of its own.
    pub(super) fn new(processing: &Processing) -> Result<Writer, Failure> {
        let chain = processing.transforms.chain()?;
        let context_asked = processing.context_headers.iter().any(|(name, _)| chain.wants_header(name));
        let context = processing.context_headers.clone();
        let letters = processing.errors.dead_letters.clone().map(DeadLetters::new);
        let (text, output) =
            (Arc::new(Schema::new(Kind::String)), Output { keys: Plans::of_keys(), ..Output::default() });
        Ok(Writer { chain, context, context_asked, text, output, letters })
    }

    /// Forgets the plans of some topics: those of a table's old version.
    pub(super) fn forget(&mut self, is_old: impl Fn(&Arc<str>) -> bool) {
        for plans in [&mut self.output.keys, &mut self.output.values, &mut self.output.headers] {
            plans.forget(&is_old);
        }
    }

    /// The batch with this ordinal is encoded next.
    pub(super) fn begin(&mut self, ordinal: u64) {
        for plans in [&mut self.output.keys, &mut self.output.values, &mut self.output.headers] {
            plans.begin(ordinal);
        }
        if let Some(letters) = &mut self.letters {
            letters.begin(ordinal);
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
        let failed = match self.through(encoding, record, arena, out) {
            Ok(()) => return Ok(()),
            Err(failed) => *failed,
        };
        let processing = &encoding.processing;
        let class = match &failed.transform {
            Some(name) => processing.transforms.class(name).unwrap_or_default(),
            None => processing.errors.class(failed.stage),
        };
        failed.tolerate(encoding, record.topic, class)?;
        let Some(letters) = &mut self.letters else { return Ok(()) };
        letters.write(encoding, &Letter { record, failed: &failed, class }, arena, out, &mut self.output.topic);
        Ok(())
    }

    /// Through the transforms and the converters.
    fn through(
        &mut self,
        encoding: &Encoding,
        record: &Record<'_>,
        arena: &Arena,
        out: &mut EncodedBatch,
    ) -> Result<(), Box<Failed>> {
        if self.chain.is_empty() {
            return self.output.write(encoding, record, arena, out);
        }
        let mut changed = *record;
        if changed.context_headers && self.context_asked {
            changed.headers = with_context(&self.context, &self.text, (changed.headers, &[]), arena);
            changed.context_headers = false;
        }
        match self.chain.apply(changed, arena) {
            Ok(Some(mut changed)) => {
                let own = changed.headers.iter().take_while(|header| is_of(record, header)).count();
                let (own, added) = changed.headers.split_at_checked(own).unwrap_or((changed.headers, &[]));
                if changed.context_headers && !added.is_empty() && !self.context.is_empty() {
                    changed.headers = with_context(&self.context, &self.text, (own, added), arena);
                    changed.context_headers = false;
                }
                self.output.write(encoding, &changed, arena, out)
            }
            Ok(None) => {
                encoding.metrics.records_filtered.add(1);
                Ok(())
            }
            Err(error) => Err(Box::new(Failed::of_transform(error))),
        }
    }
}

/// Whether a header stood on the record before the transforms.
fn is_of(record: &Record<'_>, header: &Header<'_>) -> bool {
    record.headers.iter().any(|own| std::ptr::eq(own.name, header.name))
}

/// The context headers behind a record's own and before those that transforms add, as Debezium puts them there.
fn with_context<'a>(
    context: &'a [(String, String)],
    schema: &'a Arc<Schema>,
    (own, added): (&'a [Header<'a>], &'a [Header<'a>]),
    arena: &'a Arena,
) -> &'a [Header<'a>] {
    let header = |(name, value): &'a (String, String)| Header {
        name,
        value: Typed { schema: Some(schema), value: ValueRef::String(value) },
    };
    let all = own.iter().copied().chain(context.iter().map(header)).chain(added.iter().copied());
    bumpalo::collections::Vec::from_iter_in(all, arena).into_bump_slice()
}

impl Output {
    fn write(
        &mut self,
        encoding: &Encoding,
        record: &Record<'_>,
        arena: &Arena,
        out: &mut EncodedBatch,
    ) -> Result<(), Box<Failed>> {
        let (bytes, headers) = (out.buffer.len(), out.headers.len());
        self.append(encoding, record, arena, out).inspect_err(|_| {
            out.buffer.truncate(bytes);
            out.headers.truncate(headers);
        })
    }

    fn append(
        &mut self,
        encoding: &Encoding,
        record: &Record<'_>,
        arena: &Arena,
        out: &mut EncodedBatch,
    ) -> Result<(), Box<Failed>> {
        let topic = record.topic;
        let failed = |stage| move |failure| Box::new(Failed { stage, transform: None, failure });
        let part = (&record.key, record.headers);
        let key = write_part(&mut self.keys, encoding, &encoding.key, topic, part, arena, &mut out.buffer)
            .map_err(failed(Stage::KeyConverter))?;
        let part = (&record.value, record.headers);
        let value = write_part(&mut self.values, encoding, &encoding.value, topic, part, arena, &mut out.buffer)
            .map_err(failed(Stage::ValueConverter))?;
        let first_header = index(out.headers.len());
        for header in record.headers {
            let plans = &mut self.headers;
            let part = (&header.value, [].as_slice());
            let value = write_part(plans, encoding, &encoding.header, topic, part, arena, &mut out.buffer)
                .map_err(failed(Stage::HeaderConverter))?;
            let name = header_name(&mut self.header_names, header.name);
            out.headers.push(EncodedHeader { name, value });
        }
        let topic = topic_index(&mut self.topic, topic, out);
        out.records.push(EncodedRecord {
            topic,
            partition: record.partition,
            key,
            value,
            headers: first_header..index(out.headers.len()),
            context_headers: record.context_headers,
            timestamp: record.timestamp,
        });
        Ok(())
    }
}

/// A place in a batch.
pub(super) fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// A header's name, made once: records of a connector have few, and the same again and again.
fn header_name(names: &mut Vec<Arc<str>>, name: &str) -> Arc<str> {
    if let Some(known) = names.iter().find(|known| &***known == name) {
        return known.clone();
    }
    if names.len() >= HEADER_NAMES_MAXIMUM {
        names.clear();
    }
    let name: Arc<str> = name.into();
    names.push(name.clone());
    name
}

/// The index of a topic in a batch; that of the last record is known.
pub(super) fn topic_index(last: &mut Option<(Arc<str>, u32)>, topic: &Arc<str>, out: &mut EncodedBatch) -> u32 {
    if let Some((last, index)) = last
        && Arc::ptr_eq(last, topic)
    {
        return *index;
    }
    let known = out.topics.iter().position(|known| Arc::ptr_eq(known, topic));
    let index = index(known.unwrap_or_else(|| {
        out.topics.push(topic.clone());
        out.topics.len() - 1
    }));
    *last = Some((topic.clone(), index));
    index
}
