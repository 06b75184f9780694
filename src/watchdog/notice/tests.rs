#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::error::Failure;
use crate::model::modes::EventProcessingFailureHandlingMode;
use crate::observe::incident::{FLOWS_AGAIN, Incident};
use crate::observe::metrics::ConnectorMetrics;
use crate::pipeline::error::PipelineError;
use crate::pipeline::reader::ReaderOptions;
use crate::pipeline::supervise::{Assembly, Parts, PipelineOptions, Stops, start};
use crate::watchdog::action::Bounds;
use crate::watchdog::recorder::{Recorder, RecorderOptions};
use crate::watchdog::verdict::Deadlines;
use crate::watchdog::{WatchOptions, watch};

const PATIENCE: Duration = Duration::from_secs(60);

fn incident(lasted_ms: Option<i64>, end: &'static str) -> Incident {
    Incident {
        id: "orders-1-1".to_owned(),
        connector: "orders".to_owned(),
        verdict: "broker_stuck".to_owned(),
        code: "HW0953".to_owned(),
        evidence: vec!["+5.0 s broker_stuck: 3 records are under way".to_owned()],
        began_ms: 1_000,
        noticed_after_ms: 5_000,
        lasted_ms,
        stored_before: String::new(),
        stored_after: String::new(),
        actions: Vec::new(),
        replayed: 0,
        end,
    }
}

/// An HTTP server on the loopback that leaves path and body of every request.
fn listener() -> (String, flume::Receiver<(String, Value)>) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let (requests_in, requests) = flume::unbounded();
    std::thread::spawn(move || {
        for stream in socket.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut first, mut length) = (String::new(), 0);
            stream.read_line(&mut first).unwrap();
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                let line = line.trim().to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            let path = first.split(' ').nth(1).unwrap().to_owned();
            if requests_in.send((path, serde_json::from_slice(&body).unwrap())).is_err() {
                return;
            }
        }
    });
    (address, requests)
}

/// The address of a server that hangs up on everybody, so that TLS is begun and fails.
fn mute() -> std::net::SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || socket.incoming().for_each(drop));
    address
}

/// An https address that does not answer must not keep the others from being told, each once of the beginning and once of
/// the end.
#[test]
fn the_beginning_and_the_end_are_told_once_each_and_https_harms_nobody() {
    let (address, requests) = listener();
    let urls = [
        format!("https://user:password@{}/secret", mute()),
        format!("http://{address}/slack"),
        format!("http://{address}/api/v2/alerts"),
    ];
    let options = RecorderOptions { file: None, urls: urls.to_vec(), after: Duration::ZERO };
    let recorder = Recorder::start(options).unwrap();
    let told = || [requests.recv_timeout(PATIENCE).unwrap(), requests.recv_timeout(PATIENCE).unwrap()];

    recorder.record(&incident(None, ""));
    recorder.record(&incident(None, ""));
    let [(first, slack), (second, alert)] = told();
    assert_eq!((first.as_str(), second.as_str()), ("/slack", "/api/v2/alerts"));
    assert!(slack["text"].as_str().unwrap().contains("orders does not flow (broker_stuck)"), "{slack}");
    assert!(alert[0]["endsAt"].as_str().unwrap() > "2020", "an alert that lasts ends later: {alert}");

    recorder.record(&incident(Some(9_000), FLOWS_AGAIN));
    let [(_, slack), (_, alert)] = told();
    assert!(slack["text"].as_str().unwrap().contains("orders flows again after 9.0 s"), "{slack}");
    assert_eq!(alert[0]["endsAt"], "1970-01-01T00:00:10Z");
    recorder.flush(PATIENCE);
    assert!(requests.is_empty());
}

/// Cannot be built, for now.
struct Fails;

impl Assembly for Fails {
    fn assemble(&mut self, _: &Stops) -> Result<Parts, Failure> {
        Err(PipelineError::Abandoned { batches: 1 }.into())
    }
}

/// Whoever was told that a connector does not flow is told why nobody waits for it any more.
#[test]
fn an_incident_that_is_open_when_the_connector_is_ended_says_why_it_was() {
    let (address, requests) = listener();
    let urls = vec![format!("http://{address}/slack")];
    let recorder = Recorder::start(RecorderOptions { file: None, urls, after: Duration::ZERO }).unwrap();
    let retry = Duration::from_millis(50);
    let options = PipelineOptions {
        connector: "orders".to_owned(),
        encode_threads: 1,
        budget_bytes: 1 << 20,
        flush_interval: PATIENCE,
        shutdown_timeout: PATIENCE,
        restart_limit: retry,
        max_retries: None,
        failure_mode: EventProcessingFailureHandlingMode::Fail,
        head_interval: None,
        marker_interval: None,
        reader: ReaderOptions {
            heartbeat_interval: None,
            reconnect_first: retry,
            reconnect_limit: retry,
            reconnect_attempts: None,
            renew_after: None,
        },
    };
    let deadlines = Deadlines {
        silence: PATIENCE,
        source: PATIENCE,
        pipeline: PATIENCE,
        broker: PATIENCE,
        commit: PATIENCE,
        store: PATIENCE,
        exit: None,
        attempt: None,
        canary: None,
    };
    let bounds = Bounds { restart_after: PATIENCE, may_restart_for_broker: true };
    let mut pipeline = start(Box::new(Fails), options, Arc::new(ConnectorMetrics::new())).unwrap();
    watch(&pipeline, WatchOptions { deadlines, bounds }, recorder).unwrap();
    let told = || requests.recv_timeout(PATIENCE).unwrap().1["text"].as_str().unwrap().to_owned();
    let text = told();
    assert!(text.contains("orders does not flow (pipeline_restarting)"), "{text}");
    pipeline.stop_because("another worker has the connector now");
    let text = told();
    assert!(text.contains("when it ended: another worker has the connector now"), "{text}");
    pipeline.join();
    let incidents = pipeline.metrics().flow.incidents();
    assert_eq!((incidents.len(), incidents[0].end), (1, "another worker has the connector now"));
}

#[test]
fn an_address_that_is_none_is_refused_without_being_repeated() {
    for url in ["ftp://user:password@host/x", "user:password", "https:///secret", "http://[secret"] {
        let options = RecorderOptions { file: None, urls: vec![url.to_owned()], after: Duration::ZERO };
        let failure = Recorder::start(options).unwrap_err().to_string();
        assert!(failure.contains("address 1 of headwater.notices.urls"), "{failure}");
        assert!(!failure.contains("password") && !failure.contains("secret"), "{failure}");
    }
}
