//! librdkafka's producer, as directly as the row path needs it: the one module with `unsafe`.
//!
//! In: borrowed bytes of a record and a number that names its claim. Out: delivery reports with that number.
//! Promised: librdkafka copies what it is given before `produce` returns; no Rust allocation for a record;
//! reports are served on the thread that calls [`NativeProducer::serve`] and on no other. Nothing survives
//! a crash.
//!
//! Why not rdkafka's own `BaseProducer::send` and `poll`: `send` allocates a C string for the topic and looks
//! it up by name for each record, headers cost an allocation each on top of librdkafka's, and `poll` sleeps
//! through its whole time-out although reports are there. The crate still makes and destroys the client.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_void};
use std::ptr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaResult;
use rdkafka::producer::{BaseProducer, DeliveryResult, Producer, ProducerContext};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use rdkafka_sys as rdsys;
use rdkafka_sys::rd_kafka_vtype_t::{
    RD_KAFKA_VTYPE_END, RD_KAFKA_VTYPE_HEADERS, RD_KAFKA_VTYPE_KEY, RD_KAFKA_VTYPE_MSGFLAGS, RD_KAFKA_VTYPE_OPAQUE,
    RD_KAFKA_VTYPE_PARTITION, RD_KAFKA_VTYPE_RKT, RD_KAFKA_VTYPE_TIMESTAMP, RD_KAFKA_VTYPE_VALUE,
};

/// Interrupts a wait in [`NativeProducer::serve`] from another thread, so that the producer's thread can wait
/// for delivery reports and for new batches at once. Outlives the producer; a wake-up between two waits is kept
/// for the next. Clones share it.
#[derive(Clone, Default)]
pub struct Waker {
    queue: Arc<Mutex<Option<QueuePointer>>>,
}

impl std::fmt::Debug for Waker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waker")
    }
}

struct QueuePointer(*mut rdsys::rd_kafka_queue_t);

// SAFETY: librdkafka's queues are made to be used from any thread; the pointer is only followed under the
// mutex of `Waker`, and it is taken out of there before the queue is destroyed.
unsafe impl Send for QueuePointer {}

impl Waker {
    /// Makes the current or the next wait return at once.
    pub fn wake(&self) {
        if let Ok(queue) = self.queue.lock()
            && let Some(QueuePointer(queue)) = *queue
        {
            // SAFETY: the pointer is in the mutex, so the producer has not destroyed the queue yet.
            unsafe { rdsys::rd_kafka_queue_yield(queue) };
        }
    }

    fn attach(&self, queue: Option<QueuePointer>) {
        if let Ok(mut slot) = self.queue.lock() {
            *slot = queue;
        }
    }
}

/// The context of a client whose events are all read by hand. Only what the crate itself polls while it
/// destroys the client comes here, and by then nobody waits for it.
pub(super) struct Silent;

impl ClientContext for Silent {}

impl ProducerContext for Silent {
    type DeliveryOpaque = usize;

    fn delivery(&self, _: &DeliveryResult<'_>, _: usize) {}
}

/// A topic that was opened; valid for the producer that opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TopicIndex(usize);

/// A list of headers.
pub(super) struct HeaderList(*mut rdsys::rd_kafka_headers_t);

// SAFETY: the list belongs to this value alone, and librdkafka keeps no thread-bound state in it. A sink is built on one
// thread and used on another.
unsafe impl Send for HeaderList {}

impl HeaderList {
    /// Builds the list.
    pub(super) fn new<'a>(headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>) -> Self {
        // SAFETY: rd_kafka_headers_new has no precondition and never returns null.
        let list = unsafe { rdsys::rd_kafka_headers_new(8) };
        for (name, value) in headers {
            add_header(list, name, value);
        }
        HeaderList(list)
    }

    fn copy(&self) -> Self {
        // SAFETY: the list is alive as long as this value is.
        HeaderList(unsafe { rdsys::rd_kafka_headers_copy(self.0) })
    }
}

impl Drop for HeaderList {
    fn drop(&mut self) {
        // SAFETY: the list is owned here; what librdkafka took over was forgotten.
        unsafe { rdsys::rd_kafka_headers_destroy(self.0) };
    }
}

fn add_header(list: *mut rdsys::rd_kafka_headers_t, name: &str, value: Option<&[u8]>) {
    let (data, length) = bytes_of(value);
    // SAFETY: `list` is alive; name and value are copied, with the lengths given, before the call returns. A
    // null value is a null pointer with length 0.
    unsafe {
        rdsys::rd_kafka_header_add(list, name.as_ptr().cast(), name.len() as isize, data, length as isize);
    }
}

/// The headers of one record.
pub(super) enum Headers {
    /// None.
    None,
    /// Those that many records share.
    Shared,
    /// These, in this order.
    Own(HeaderList),
}

/// One record, borrowed.
pub(super) struct Outgoing<'a> {
    pub(super) topic: TopicIndex,
    pub(super) partition: Option<i32>,
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    /// Milliseconds since the epoch.
    pub(super) timestamp: i64,
    pub(super) headers: Headers,
    /// Comes back in the delivery report.
    pub(super) claim: usize,
}

/// What librdkafka has to say.
pub(super) enum Event<'a> {
    /// A record was acknowledged or given up.
    Delivery {
        claim: usize,
        error: Option<RDKafkaErrorCode>,
        /// Looked at where something is to be said of it.
        topic: &'a CStr,
        partition: usize,
        /// Where in the partition the broker put it; negative where it did not say.
        offset: i64,
        /// Valid for as long as the event is.
        key: Option<&'a [u8]>,
        value: Option<&'a [u8]>,
    },
    /// Trouble with a broker, or the end of the producer (`fatal`).
    Error { code: RDKafkaErrorCode, fatal: bool, text: String },
    /// The client's statistics, as JSON.
    Statistics(&'a [u8]),
    /// A line for the log; `level` as syslog's.
    Log { level: i32, facility: String, text: String },
}

/// A producer and the topics opened on it.
pub(super) struct NativeProducer {
    // Order of destruction: topics and queue in `drop`, then the client.
    producer: BaseProducer<Silent>,
    queue: *mut rdsys::rd_kafka_queue_t,
    topics: Vec<*mut rdsys::rd_kafka_topic_t>,
    waker: Waker,
    shared: Option<HeaderList>,
    /// Lists like `shared` whose records were reported: to make one for each record costs as much as all else of it.
    spare: Vec<HeaderList>,
}

// SAFETY: librdkafka's handles may be used from any thread; nothing in here is bound to the thread that made it.
unsafe impl Send for NativeProducer {}

impl NativeProducer {
    /// Makes the client; connections come later. `shared` are the headers of records that ask for them.
    pub(super) fn new(config: &ClientConfig, waker: Waker, shared: Option<HeaderList>) -> KafkaResult<Self> {
        let producer: BaseProducer<Silent> = config.create_with_context(Silent)?;
        // SAFETY: the client is alive; the reference is given back in `drop`, before the client is.
        let queue = unsafe { rdsys::rd_kafka_queue_get_main(producer.client().native_ptr()) };
        waker.attach(Some(QueuePointer(queue)));
        Ok(NativeProducer { producer, queue, topics: Vec::new(), waker, shared, spare: Vec::new() })
    }

    /// Opens a topic by name, without asking the broker.
    pub(super) fn open_topic(&mut self, name: &str) -> Option<TopicIndex> {
        let name = CString::new(name).ok()?;
        // SAFETY: client and string are alive; a null configuration means the client's defaults.
        let topic =
            unsafe { rdsys::rd_kafka_topic_new(self.producer.client().native_ptr(), name.as_ptr(), ptr::null_mut()) };
        if topic.is_null() {
            return None;
        }
        self.topics.push(topic);
        Some(TopicIndex(self.topics.len() - 1))
    }

    /// Hands a record over. On an error nothing was taken.
    pub(super) fn produce(&mut self, record: &Outgoing<'_>) -> Result<(), RDKafkaErrorCode> {
        let Some(topic) = self.topics.get(record.topic.0) else {
            return Err(RDKafkaErrorCode::UnknownTopic);
        };
        let (value, value_length) = bytes_of(record.value);
        let (key, key_length) = bytes_of(record.key);
        let (headers, is_shared) = match &record.headers {
            Headers::None => (None, false),
            Headers::Shared => (self.spare.pop().or_else(|| self.shared.as_ref().map(HeaderList::copy)), true),
            Headers::Own(list) => (Some(list.copy()), false),
        };
        // SAFETY: client and topic are alive and belong together. Key and value are borrowed for the call and
        // copied during it (F_COPY). The types that follow each tag are those of rdkafka.h: RKT pointer,
        // PARTITION int32, MSGFLAGS int, VALUE and KEY pointer and size_t, TIMESTAMP int64, OPAQUE and HEADERS
        // pointer. Unless it fails, librdkafka owns the headers afterwards.
        let outcome = unsafe {
            rdsys::rd_kafka_producev(
                self.producer.client().native_ptr(),
                RD_KAFKA_VTYPE_RKT,
                *topic,
                RD_KAFKA_VTYPE_PARTITION,
                record.partition.unwrap_or(-1),
                RD_KAFKA_VTYPE_MSGFLAGS,
                rdsys::RD_KAFKA_MSG_F_COPY,
                RD_KAFKA_VTYPE_VALUE,
                value,
                value_length,
                RD_KAFKA_VTYPE_KEY,
                key,
                key_length,
                RD_KAFKA_VTYPE_TIMESTAMP,
                record.timestamp,
                RD_KAFKA_VTYPE_OPAQUE,
                (record.claim << 1 | usize::from(is_shared)) as *mut c_void,
                RD_KAFKA_VTYPE_HEADERS,
                headers.as_ref().map_or(ptr::null_mut(), |list| list.0),
                RD_KAFKA_VTYPE_END,
            )
        };
        if outcome == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            std::mem::forget(headers);
            return Ok(());
        }
        if is_shared {
            self.spare.extend(headers);
        }
        Err(outcome.into())
    }

    /// Gives every waiting event to `each`; waits up to `wait` for the first one, or for the waker.
    pub(super) fn serve(&mut self, wait: Duration, each: &mut dyn FnMut(Event<'_>)) {
        let mut wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        for _ in 0..MAX_EVENTS_A_SERVE {
            // SAFETY: the queue is alive until `drop`.
            let event = unsafe { rdsys::rd_kafka_queue_poll(self.queue, wait_ms) };
            if event.is_null() {
                return;
            }
            // SAFETY: `event` is not null, is ours, and is destroyed right after.
            unsafe {
                read_event(event, &mut self.spare, each);
                rdsys::rd_kafka_event_destroy(event);
            }
            wait_ms = 0;
        }
    }

    /// Records handed over whose reports were not served yet.
    pub(super) fn waiting(&self) -> usize {
        usize::try_from(self.producer.in_flight_count()).unwrap_or(0)
    }

    /// Takes back what no broker has been sent yet; their reports say so.
    pub(super) fn purge_unsent(&self) {
        // SAFETY: the client is alive. The flags are valid, and the call does not wait.
        unsafe {
            rdsys::rd_kafka_purge(
                self.producer.client().native_ptr(),
                rdsys::RD_KAFKA_PURGE_F_QUEUE | rdsys::RD_KAFKA_PURGE_F_NON_BLOCKING,
            )
        };
    }

    /// Makes buffered records leave without waiting out `linger.ms`, while it waits: those that are handed over before, and
    /// none when it does not wait, as the broker's thread has to wake up first.
    pub(super) fn hurry(&self, wait: Duration) {
        let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the client is alive. Its reports are events, which nobody serves meanwhile: the call sets the flushing flag
        // and waits.
        unsafe { rdsys::rd_kafka_flush(self.producer.client().native_ptr(), wait_ms) };
    }
}

/// Bounds one call of `serve`, so that a broker faster than we are cannot keep the thread in it.
const MAX_EVENTS_A_SERVE: usize = 1_000;

impl Drop for NativeProducer {
    fn drop(&mut self) {
        self.waker.attach(None);
        // SAFETY: each topic and the queue were made by this producer, are destroyed once, and are not used
        // after; the client, which must outlive them, is dropped after this function.
        unsafe {
            for topic in self.topics.drain(..) {
                rdsys::rd_kafka_topic_destroy(topic);
            }
            rdsys::rd_kafka_queue_destroy(self.queue);
        }
    }
}

/// Null and empty are different things to Kafka: an empty slice's pointer is never null.
fn bytes_of(bytes: Option<&[u8]>) -> (*const c_void, usize) {
    bytes.map_or((ptr::null(), 0), |bytes| (bytes.as_ptr().cast(), bytes.len()))
}

/// Reads one event.
///
/// # Safety
/// `event` must be a live event of a queue of a live client.
unsafe fn read_event(
    event: *mut rdsys::rd_kafka_event_t,
    spare: &mut Vec<HeaderList>,
    each: &mut dyn FnMut(Event<'_>),
) {
    // SAFETY: by the contract of this function, for this and for each call below; texts that an event owns
    // live as long as it does, and none is kept beyond `each`.
    unsafe {
        match rdsys::rd_kafka_event_type(event) {
            rdsys::RD_KAFKA_EVENT_DR => loop {
                let message = rdsys::rd_kafka_event_message_next(event);
                if message.is_null() {
                    break;
                }
                read_report(message, spare, each);
            },
            rdsys::RD_KAFKA_EVENT_ERROR => each(Event::Error {
                code: rdsys::rd_kafka_event_error(event).into(),
                fatal: rdsys::rd_kafka_event_error_is_fatal(event) != 0,
                text: owned(rdsys::rd_kafka_event_error_string(event)),
            }),
            rdsys::RD_KAFKA_EVENT_STATS => {
                let json = rdsys::rd_kafka_event_stats(event);
                if !json.is_null() {
                    each(Event::Statistics(CStr::from_ptr(json).to_bytes()));
                }
            }
            rdsys::RD_KAFKA_EVENT_LOG => {
                let (mut facility, mut text, mut level) = (ptr::null(), ptr::null(), 0);
                if rdsys::rd_kafka_event_log(event, &mut facility, &mut text, &mut level) == 0 {
                    each(Event::Log { level, facility: owned(facility), text: owned(text) });
                }
            }
            _ => {}
        }
    }
}

/// Reads one delivery report.
///
/// # Safety
/// `message` must be a live message of a delivery report.
unsafe fn read_report(
    message: *const rdsys::rd_kafka_message_t,
    spare: &mut Vec<HeaderList>,
    each: &mut dyn FnMut(Event<'_>),
) {
    // SAFETY: by the contract of this function. The code is read as a number, because a broker newer than the
    // bindings may send one that the Rust enum does not have. A message's topic is alive with it, and so are the copies of
    // key and value that the client made when it took the record. Headers that were detached are ours.
    unsafe {
        let opaque = (*message)._private as usize;
        let mut headers = ptr::null_mut();
        if opaque & 1 == 1
            && rdsys::rd_kafka_message_detach_headers(message.cast_mut(), &mut headers)
                == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR
        {
            spare.push(HeaderList(headers));
        }
        let code = ptr::addr_of!((*message).err).cast::<i32>().read();
        let error = (code != 0).then(|| RDKafkaRespErr::try_from(code).map_or(RDKafkaErrorCode::Unknown, Into::into));
        let topic = CStr::from_ptr(rdsys::rd_kafka_topic_name((*message).rkt));
        each(Event::Delivery {
            claim: opaque >> 1,
            error,
            topic,
            partition: usize::try_from((*message).partition).unwrap_or(0),
            offset: (*message).offset,
            key: slice_of((*message).key, (*message).key_len),
            value: slice_of((*message).payload, (*message).len),
        });
    }
}

/// The bytes of a part of a message; `None` for null.
///
/// # Safety
/// `part` must be null or point to so many bytes, which live as long as what is made of them.
unsafe fn slice_of<'a>(part: *const c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: by the contract of this function.
    (!part.is_null()).then(|| unsafe { std::slice::from_raw_parts(part.cast(), length) })
}

/// A text of librdkafka's, copied.
///
/// # Safety
/// `text` must be null or a live C string.
unsafe fn owned(text: *const std::ffi::c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: by the contract of this function.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().trim().to_owned()
}
