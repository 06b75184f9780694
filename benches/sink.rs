//! What the sink costs, and how long a record takes: against a real Kafka (`HEADWATER_BENCH_KAFKA`).
//!
//! `cargo bench --bench sink` prints CPU-seconds for a million records (this process: librdkafka's threads are in
//! it, the broker is not) through the sink and through rdkafka's own `BaseProducer`, and the time from hand-over
//! to acknowledgement at 2,000 records/s for several values of `linger.ms`. Topics are removed afterwards.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headwater::model::encoded::{EncodedBatch, EncodedRecord};
use headwater::model::ticket::{Settlements, Ticket};
use headwater::sink::SinkCounters;
use headwater::sink::kafka::{KafkaSink, KafkaSinkOptions};
use headwater::util::stop::Stop;
use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::FromClientConfig;
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

const RECORDS: usize = 100_000;
/// The least of so many rounds counts: what else the machine does only adds.
const ROUNDS: usize = 6;
const BATCH: usize = 500;
const HEADERS: [(&str, &str); 4] = [
    ("__debezium.context.connectorLogicalName", "\"shop\""),
    ("__debezium.context.taskId", "\"0\""),
    ("__debezium.context.connectorName", "\"mysql\""),
    ("__debezium.context.runId", "\"0b2a6e4e-52a5-4a7e-9d2c-6b0b1d2f3a4b\""),
];

/// Clock ticks of this process, user and system, in seconds: fields 14 and 15 of `/proc/self/stat`.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11..13].iter().map(|field| field.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

struct Latencies {
    sent: Vec<AtomicU64>,
    took: Vec<AtomicU64>,
    began: Instant,
}

impl Settlements for Latencies {
    fn settled(&self, ordinal: u64) {
        let now = self.began.elapsed().as_nanos() as u64;
        if let (Some(sent), Some(took)) = (self.sent.get(ordinal as usize), self.took.get(ordinal as usize)) {
            took.store(now - sent.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
    fn abandoned(&self, _: u64) {}
}

struct Nobody;

impl Settlements for Nobody {
    fn settled(&self, _: u64) {}
    fn abandoned(&self, _: u64) {}
}

fn options(servers: &str, client: &[(&str, &str)]) -> KafkaSinkOptions {
    let mut properties = BTreeMap::from([("bootstrap.servers".to_owned(), servers.to_owned())]);
    properties.extend(client.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let context_headers = HEADERS.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    KafkaSinkOptions {
        connector: "bench".to_owned(),
        client: properties,
        context_headers,
        ..KafkaSinkOptions::default()
    }
}

fn batch(topic: &str, records: usize, key: usize, value: usize) -> EncodedBatch {
    let mut out = EncodedBatch { topics: vec![topic.into()], ..EncodedBatch::default() };
    for number in 0..records {
        let start = out.buffer.len() as u32;
        out.buffer.extend(format!("{number:0key$}").into_bytes());
        let middle = out.buffer.len() as u32;
        out.buffer.extend((0..value).map(|at| b'a' + (at * 7 + number) as u8 % 26));
        let end = out.buffer.len() as u32;
        out.records.push(EncodedRecord {
            topic: 0,
            partition: None,
            key: Some(start..middle),
            value: Some(middle..end),
            headers: 0..0,
            context_headers: true,
            timestamp: None,
        });
    }
    out
}

fn through_sink(servers: &str, topic: &str, value: usize, headers: bool) -> f64 {
    let mut options = options(servers, &[]);
    if !headers {
        options.context_headers.clear();
    }
    let mut sink = KafkaSink::new(options, Arc::default(), Stop::new()).unwrap();
    let mut batch = batch(topic, BATCH, 120, value);
    let before = cpu_seconds();
    for ordinal in 0..RECORDS / BATCH {
        batch.ticket = Some(Ticket::new(ordinal as u64, Arc::new(Nobody)));
        sink.send(&batch, 0..BATCH as u32).unwrap();
        batch.ticket.take().unwrap().settle();
    }
    sink.flush(Duration::from_secs(120)).unwrap();
    (cpu_seconds() - before) * 1e6 / RECORDS as f64
}

struct Silent;
impl ClientContext for Silent {}
impl ProducerContext for Silent {
    type DeliveryOpaque = usize;
    fn delivery(&self, result: &DeliveryResult<'_>, _: usize) {
        assert!(result.is_ok());
    }
}

fn through_crate(servers: &str, topic: &str, value: usize) -> f64 {
    let config = options(servers, &[]).client_properties().unwrap().client_config();
    let producer: BaseProducer<Silent> = config.create_with_context(Silent).unwrap();
    let batch = batch(topic, BATCH, 120, value);
    let before = cpu_seconds();
    for number in 0..RECORDS {
        let record = &batch.records[number % BATCH];
        let mut headers = OwnedHeaders::new_with_capacity(4);
        for (key, value) in HEADERS {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        let mut outgoing = BaseRecord::with_opaque_to(&batch.topics[0], number)
            .key(batch.bytes(record.key.as_ref().unwrap()))
            .payload(batch.bytes(record.value.as_ref().unwrap()))
            .headers(headers);
        while let Err((_, again)) = producer.send(outgoing) {
            producer.poll(Duration::from_millis(10));
            outgoing = again;
        }
        if number % BATCH == 0 {
            producer.poll(Duration::ZERO);
        }
    }
    producer.flush(Duration::from_secs(120)).unwrap();
    (cpu_seconds() - before) * 1e6 / RECORDS as f64
}

fn latency(servers: &str, topic: &str, linger: &str) -> ([f64; 3], f64) {
    const COUNT: usize = 8_000;
    let mut options = options(servers, &[]);
    // Java's property knows whole milliseconds only; the default of the sink does not.
    if linger != "default" {
        options.client.insert("linger.ms".to_owned(), linger.to_owned());
    }
    let waker = options.waker.clone();
    let mut sink = KafkaSink::new(options, Arc::new(SinkCounters::default()), Stop::new()).unwrap();
    let zeros = || (0..COUNT).map(|_| AtomicU64::new(0)).collect();
    let latencies = Arc::new(Latencies { sent: zeros(), took: zeros(), began: Instant::now() });
    let mut batch = batch(topic, 1, 120, 784);
    let (to_sink, from_source) = flume::bounded(64);
    let source = latencies.clone();
    let before = cpu_seconds();
    let began = Instant::now();
    std::thread::scope(|threads| {
        threads.spawn(move || {
            for ordinal in 0..COUNT {
                let due = began + Duration::from_micros(500 * ordinal as u64);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                source.sent[ordinal].store(source.began.elapsed().as_nanos() as u64, Ordering::Relaxed);
                to_sink.send(ordinal).unwrap();
                waker.wake();
            }
        });
        let mut sent = 0;
        while sent < COUNT {
            while let Ok(ordinal) = from_source.try_recv() {
                batch.ticket = Some(Ticket::new(ordinal as u64, latencies.clone()));
                sink.send(&batch, 0..1).unwrap();
                batch.ticket.take().unwrap().settle();
                sent += 1;
            }
            sink.poll(Duration::from_millis(100)).unwrap();
        }
    });
    let wall = began.elapsed().as_secs_f64();
    sink.flush(Duration::from_secs(10)).unwrap();
    let cores = (cpu_seconds() - before) / wall;
    // The first second warms up connections and partitions.
    let mut took: Vec<u64> = latencies.took.iter().skip(2_000).map(|took| took.load(Ordering::Relaxed)).collect();
    took.sort_unstable();
    ([0.5, 0.99, 0.999].map(|part| took[((took.len() - 1) as f64 * part) as usize] as f64 / 1e6), cores)
}

fn main() {
    let Ok(servers) = std::env::var("HEADWATER_BENCH_KAFKA") else {
        println!("SKIPPED sink: HEADWATER_BENCH_KAFKA is not set");
        return;
    };
    let topic = format!("hw-bench-{}", uuid::Uuid::new_v4());
    println!("CPU-seconds for a million records, key 120 bytes, 4 headers");
    for value in [300, 784] {
        let mut least = [f64::MAX; 3];
        for _ in 0..ROUNDS {
            let round = [
                through_sink(&servers, &topic, value, true),
                through_sink(&servers, &topic, value, false),
                through_crate(&servers, &topic, value),
            ];
            least = std::array::from_fn(|at| least[at].min(round[at]));
        }
        let [sink, plain, own] = least;
        println!("value {value}: sink {sink:.2}, sink without headers {plain:.2}, BaseProducer with headers {own:.2}");
    }
    println!("milliseconds from hand-over to acknowledgement at 2,000 records/s: p50, p99, p99.9; cores");
    for linger in ["0", "default", "1", "5"] {
        let (times, cores) = latency(&servers, &topic, linger);
        println!("linger.ms {linger}: {:.2}, {:.2}, {:.2}; {cores:.2}", times[0], times[1], times[2]);
    }
    let admin = AdminClient::<DefaultClientContext>::from_config(
        rdkafka::ClientConfig::new().set("bootstrap.servers", &servers),
    )
    .unwrap();
    futures_executor::block_on(admin.delete_topics(&[&topic], &AdminOptions::new())).unwrap();
}
