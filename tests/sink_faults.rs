//! What the Kafka sink does when brokers do not: against librdkafka's mock cluster, inside the process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    dead_code,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

mod kafka_sink;

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater::error::{Coded, Disposition};
use headwater::sink::kafka::embedded::EmbeddedBroker;
use headwater::sink::kafka::{KafkaSink, TooLargePolicy};
use headwater::sink::{SinkCounters, SinkError};
use headwater::util::stop::Stop;
use kafka_sink::{Seen, Wanted, batch, options, read_back, send, sink};
use rdkafka::types::RDKafkaRespErr;

const SECONDS: Duration = Duration::from_secs(10);

fn numbered(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("{number:08}").into_bytes()).collect()
}

fn records(values: &[Vec<u8>]) -> Vec<Wanted<'_>> {
    values
        .iter()
        .map(|value| Wanted { topic: "t", key: Some(value), value: Some(value), ..Wanted::default() })
        .collect()
}

/// Polls until the sink says why it cannot go on.
fn verdict(sink: &mut KafkaSink) -> SinkError {
    let began = Instant::now();
    loop {
        if let Err(error) = sink.poll(Duration::from_millis(50)) {
            return error;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "no verdict within 30 s");
    }
}

/// A pipeline may make the sink on one thread and run it on another.
#[test]
fn the_sink_can_move_to_its_thread() {
    fn movable<T: Send>() {}
    movable::<KafkaSink>();
}

#[test]
fn everything_is_acknowledged_in_order_and_settled_once() {
    let broker = EmbeddedBroker::start(&[("t", 1)]).unwrap();
    let (counters, seen) = (Arc::new(SinkCounters::default()), Arc::new(Seen::default()));
    let mut sink = sink(&options(&broker.bootstrap_servers(), &[]), &counters);
    let values = numbered(5_000);
    for (ordinal, part) in values.chunks(1_000).enumerate() {
        send(&mut sink, &mut batch(ordinal as u64, &seen, &records(part))).unwrap();
    }
    sink.flush(SECONDS).unwrap();
    assert_eq!(seen.all(), (0..5).map(|ordinal| (ordinal, true)).collect::<Vec<_>>());
    let got: Vec<Vec<u8>> =
        read_back(&broker.bootstrap_servers(), "t").into_iter().map(|got| got.value.unwrap()).collect();
    assert!(got == values, "the topic holds other records, or in another order");
    assert_eq!((counters.records_sent.get(), counters.records_acknowledged.get(), sink.in_flight()), (5_000, 5_000, 0));
}

#[test]
fn errors_that_pass_are_retried_by_the_client() {
    let broker = EmbeddedBroker::start(&[("t", 1)]).unwrap();
    use RDKafkaRespErr as E;
    broker.fail_produce(&[
        E::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        E::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
        E::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
    ]);
    let (counters, seen) = (Arc::new(SinkCounters::default()), Arc::new(Seen::default()));
    let mut sink = sink(&options(&broker.bootstrap_servers(), &[]), &counters);
    send(&mut sink, &mut batch(0, &seen, &records(&numbered(100)))).unwrap();
    sink.flush(SECONDS).unwrap();
    assert_eq!(seen.all(), [(0, true)]);
    assert_eq!(read_back(&broker.bootstrap_servers(), "t").len(), 100);
}

/// One produce request is answered with `answer`; the sink must end with this page and settle nothing.
fn check_refusal(answer: RDKafkaRespErr, number: u16, disposition: Disposition) {
    let broker = EmbeddedBroker::start(&[("t", 1)]).unwrap();
    broker.fail_produce(&[answer]);
    let (counters, seen) = (Arc::new(SinkCounters::default()), Arc::new(Seen::default()));
    let mut sink = sink(&options(&broker.bootstrap_servers(), &[]), &counters);
    send(&mut sink, &mut batch(0, &seen, &records(&numbered(10)))).unwrap();
    let error = verdict(&mut sink);
    assert_eq!((error.code().number, error.code().disposition), (number, disposition), "{answer:?}: {error}");
    assert!(sink.send(&batch(1, &seen, &[]), 0..0).is_err(), "the sink goes on after {error}");
    drop(sink);
    assert!(!seen.all().contains(&(0, true)), "{answer:?}: settled what was not acknowledged");
}

#[test]
fn refusals_end_the_sink_with_their_page_and_settle_nothing() {
    use RDKafkaRespErr as E;
    check_refusal(E::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 708, Disposition::Stop);
    check_refusal(E::RD_KAFKA_RESP_ERR_INVALID_RECORD, 714, Disposition::Stop);
    check_refusal(E::RD_KAFKA_RESP_ERR_POLICY_VIOLATION, 714, Disposition::Stop);
    check_refusal(E::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 711, Disposition::Retry);
    check_refusal(E::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, 713, Disposition::Retry);
    // librdkafka reports success: the broker has the record, or calls it so.
    check_refusal(E::RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER, 720, Disposition::Retry);
}

#[test]
fn a_broker_that_is_away_too_long_loses_nothing() {
    let broker = EmbeddedBroker::start(&[("t", 1)]).unwrap();
    let servers = broker.bootstrap_servers();
    let (counters, seen) = (Arc::new(SinkCounters::default()), Arc::new(Seen::default()));
    let patience = options(&servers, &[("delivery.timeout.ms", "1500"), ("reconnect.backoff.max.ms", "100")]);
    let mut first = sink(&patience, &counters);
    send(&mut first, &mut batch(0, &seen, &records(&numbered(10)))).unwrap();
    first.flush(SECONDS).unwrap();
    broker.set_reachable(false).unwrap();
    send(&mut first, &mut batch(1, &seen, &records(&numbered(10)))).unwrap();
    let error = verdict(&mut first);
    assert!(matches!(error, SinkError::DeliveryTimedOut { .. }), "{error}");
    assert_eq!(error.code().disposition, Disposition::Retry);
    drop(first);
    assert_eq!(seen.all(), [(0, true), (1, false)]);
    // Back at the resume point, with a new producer, flow returns by itself.
    broker.set_reachable(true).unwrap();
    let mut second = sink(&patience, &counters);
    send(&mut second, &mut batch(2, &seen, &records(&numbered(10)))).unwrap();
    second.flush(SECONDS).unwrap();
    assert_eq!(seen.all(), [(0, true), (1, false), (2, true)]);
    assert_eq!(counters.producers.get(), 2);
}

#[test]
fn a_full_buffer_makes_the_sender_wait_and_stop_frees_it() {
    let broker = EmbeddedBroker::start(&[("t", 1)]).unwrap();
    let (counters, seen) = (Arc::new(SinkCounters::default()), Arc::new(Seen::default()));
    let small = options(&broker.bootstrap_servers(), &[("buffer.memory", "65536")]);
    let values: Vec<Vec<u8>> = (0..2_000).map(|number| vec![number as u8; 1_000]).collect();
    let mut waiting = sink(&small, &counters);
    send(&mut waiting, &mut batch(0, &seen, &records(&values))).unwrap();
    waiting.flush(SECONDS).unwrap();
    assert_eq!(seen.all(), [(0, true)]);
    assert!(counters.buffer_full_waits.get() > 0, "the buffer was never full");
    drop(waiting);
    broker.set_reachable(false).unwrap();
    let stop = Stop::new();
    let mut stuck = KafkaSink::new(small, counters, stop.clone()).unwrap();
    std::thread::scope(|threads| {
        let other = stop.clone();
        threads.spawn(move || {
            other.wait(Duration::from_millis(300));
            other.set();
        });
        let began = Instant::now();
        let outcome = send(&mut stuck, &mut batch(1, &seen, &records(&values)));
        assert_eq!(outcome, Err(SinkError::Stopped));
        assert!(began.elapsed() < Duration::from_secs(5));
    });
    let error = stuck.flush(Duration::from_millis(200)).unwrap_err();
    assert!(matches!(error, SinkError::FlushTimedOut { .. }), "{error}");
}

#[test]
fn a_record_over_the_producers_limit_fails_or_is_left_out() {
    let broker = EmbeddedBroker::start(&[("t", 1)]).unwrap();
    let servers = broker.bootstrap_servers();
    let values = [vec![1; 10], vec![2; 5_000], vec![3; 10]];
    for policy in [TooLargePolicy::Fail, TooLargePolicy::Skip] {
        let (counters, seen) = (Arc::new(SinkCounters::default()), Arc::new(Seen::default()));
        let mut strict = options(&servers, &[("max.request.size", "2000")]);
        strict.too_large = policy;
        let mut sink = sink(&strict, &counters);
        let outcome = send(&mut sink, &mut batch(0, &seen, &records(&values)));
        match policy {
            TooLargePolicy::Fail => {
                let error = outcome.unwrap_err();
                let expected = SinkError::TooLarge {
                    topic: "t".into(),
                    key_length: 5_000,
                    size: 10_000,
                    limit: 2_000,
                    refused_by: "the producer",
                };
                assert_eq!(error, expected);
                assert_eq!(error.code().disposition, Disposition::Reject);
                drop(sink);
                assert!(!seen.all().contains(&(0, true)));
            }
            TooLargePolicy::Skip => {
                outcome.unwrap();
                sink.flush(SECONDS).unwrap();
                assert_eq!((seen.all(), counters.records_skipped.get()), (vec![(0, true)], 1));
            }
        }
    }
}

#[test]
fn a_waiting_thread_is_woken() {
    let broker = EmbeddedBroker::start(&[]).unwrap();
    let wakeable = options(&broker.bootstrap_servers(), &[]);
    let waker = wakeable.waker.clone();
    let mut sink = sink(&wakeable, &Arc::default());
    // A wake-up before the wait counts for it.
    waker.wake();
    let began = Instant::now();
    while sink.poll(SECONDS).unwrap() > 0 {}
    std::thread::scope(|threads| {
        threads.spawn(|| {
            Stop::new().wait(Duration::from_millis(100));
            waker.wake();
        });
        sink.poll(SECONDS).unwrap();
    });
    assert!(began.elapsed() < Duration::from_secs(5), "woken after {:?}", began.elapsed());
    drop(sink);
    waker.wake();
}

#[test]
fn a_batch_that_is_not_whole_is_an_error() {
    let broker = EmbeddedBroker::start(&[("t", 1)]).unwrap();
    let seen = Arc::new(Seen::default());
    let values = numbered(1);
    let break_it: [fn(&mut headwater::model::encoded::EncodedBatch); 4] = [
        |batch| batch.records[0].topic = 7,
        |batch| batch.records[0].value = Some(0..99),
        |batch| batch.records[0].headers = 0..3,
        |batch| batch.topics[0] = "no spaces".into(),
    ];
    for damage in break_it {
        let mut sink = sink(&options(&broker.bootstrap_servers(), &[]), &Arc::default());
        let mut batch = batch(0, &seen, &records(&values));
        damage(&mut batch);
        let error = sink.send(&batch, 0..1).unwrap_err();
        assert!(matches!(error, SinkError::Batch(_) | SinkError::TopicName { .. }), "{error}");
    }
    assert!(
        sink(&options(&broker.bootstrap_servers(), &[]), &Arc::default()).send(&batch(0, &seen, &[]), 0..1).is_err()
    );
}
