//! librdkafka's statistics, for the metrics that Java's producer has.
//!
//! In: the JSON that the client emits every few seconds (librdkafka's `STATISTICS.md`). Out: counters.
//! Promised: what cannot be read changes nothing.

use serde::Deserialize;
use std::collections::HashMap;

use crate::sink::SinkCounters;

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    tx: u64,
    #[serde(default)]
    tx_bytes: u64,
    #[serde(default)]
    rx_bytes: u64,
    #[serde(default)]
    msg_size: u64,
    #[serde(default)]
    brokers: HashMap<String, Broker>,
    #[serde(default)]
    topics: HashMap<String, Topic>,
}

#[derive(Deserialize)]
struct Broker {
    #[serde(default)]
    state: String,
    #[serde(default)]
    txretries: u64,
    #[serde(default)]
    rtt: Window,
}

#[derive(Deserialize)]
struct Topic {
    #[serde(default)]
    batchsize: Window,
}

#[derive(Default, Deserialize)]
struct Window {
    #[serde(default)]
    sum: u64,
    #[serde(default)]
    cnt: u64,
}

/// The mean of several windows; 0 when nothing was measured.
fn mean<'a>(windows: impl Iterator<Item = &'a Window>) -> u64 {
    let (sum, count) = windows
        .fold((0u64, 0u64), |(sum, count), window| (sum.saturating_add(window.sum), count.saturating_add(window.cnt)));
    sum.checked_div(count).unwrap_or(0)
}

/// Reads one report.
pub(super) fn read(json: &[u8], counters: &SinkCounters) {
    let Ok(report) = serde_json::from_slice::<Report>(json) else {
        return;
    };
    counters.requests.set(report.tx);
    counters.request_bytes.set(report.tx_bytes);
    counters.response_bytes.set(report.rx_bytes);
    counters.buffered_bytes.set(report.msg_size);
    let connected = report.brokers.values().filter(|broker| broker.state == "UP").count();
    counters.brokers_connected.set(connected as u64);
    counters.request_retries.set(report.brokers.values().map(|broker| broker.txretries).sum());
    counters.request_latency_us.set(mean(report.brokers.values().map(|broker| &broker.rtt)));
    counters.batch_size_bytes.set(mean(report.topics.values().map(|topic| &topic.batchsize)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_over_all_brokers_and_bad_json_changes_nothing() {
        let counters = SinkCounters::default();
        read(
            br#"{"tx":7,"tx_bytes":900,"msg_size":3,"brokers":{"a/1":{"state":"UP","txretries":2,"rtt":{"sum":300,"cnt":3}},"b/2":{"rtt":{"sum":0,"cnt":0}}},"topics":{"t":{"batchsize":{"sum":50,"cnt":2}}}}"#,
            &counters,
        );
        read(b"{\"tx\":", &counters);
        let seen = (counters.requests.get(), counters.request_latency_us.get(), counters.batch_size_bytes.get());
        assert_eq!((seen, counters.request_retries.get()), ((7, 100, 25), 2));
        assert_eq!(counters.brokers_connected.get(), 1);
    }
}
