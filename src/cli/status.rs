//! `headwater status`: how the connectors of a running worker are, for people.
//!
//! In: what the worker answers to Kafka Connect's own calls. Out: a line a connector, and below it the reason
//! where there is one. The same calls work on a Kafka Connect cluster, so the command does too.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::endpoint::Address;

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The worker.
    #[command(flatten)]
    pub address: Address,
}

/// Prints the states; the exit code is 1 unless every connector is RUNNING.
///
/// # Errors
/// When nobody answers, or not as a worker does.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (status, text) = arguments.address.get("/connectors?expand=status")?;
    if status != 200 {
        bail!("{} answers {status}: it is not a worker", arguments.address.base());
    }
    let states: Value = serde_json::from_str(&text)
        .with_context(|| format!("{} does not answer as a worker does", arguments.address.base()))?;
    let metrics = match arguments.address.get("/metrics") {
        Ok((200, text)) => text,
        // The states are what was asked for; a Kafka Connect cluster has no numbers here.
        Ok(_) | Err(_) => String::new(),
    };
    let (lines, all_run) = describe(&states, &metrics, crate::util::clock::now_ms());
    for line in lines {
        super::say(&line);
    }
    Ok(if all_run { ExitCode::SUCCESS } else { ExitCode::from(super::EXIT_FAILED) })
}

/// The lines, and whether all connectors run.
fn describe(states: &Value, metrics: &str, now_ms: i64) -> (Vec<String>, bool) {
    let (mut lines, mut all_run) = (Vec::new(), true);
    let connectors: Vec<(&String, &Value)> = states.as_object().into_iter().flatten().collect();
    if connectors.is_empty() {
        return (vec!["no connectors".to_owned()], true);
    }
    let width = connectors.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, entry) in connectors {
        let status = entry.get("status").unwrap_or(entry);
        let connector = status.get("connector");
        let tasks = status.get("tasks").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        // A task that failed below a connector that runs is what people overlook.
        let failed = tasks.iter().find(|task| text(Some(task), "state") != "RUNNING");
        let shown = failed.or(connector);
        let state = text(shown, "state");
        all_run &= state == "RUNNING";
        let numbers = numbers(metrics, name, now_ms);
        lines.push(format!("{name:width$}  {state:10}  {}{numbers}", text(connector, "worker_id")));
        for line in text(shown, "trace").lines() {
            lines.push(format!("{:width$}    {line}", ""));
        }
    }
    (lines, all_run)
}

fn text<'v>(value: Option<&'v Value>, field: &str) -> &'v str {
    value.and_then(|value| value.get(field)).and_then(Value::as_str).unwrap_or_default()
}

/// What the metrics say of a connector, in words.
fn numbers(metrics: &str, connector: &str, now_ms: i64) -> String {
    let read = |name: &str| {
        let start = format!("{name}{{connector={}}} ", Value::from(connector));
        metrics.lines().find_map(|line| line.strip_prefix(&start)?.trim().parse::<f64>().ok())
    };
    let mut words = String::new();
    if let Some(acknowledged) = read("headwater_records_acknowledged_total") {
        words.push_str(&format!("  {acknowledged:.0} records acknowledged"));
    }
    match read("headwater_last_commit_timestamp_seconds") {
        Some(seconds) if seconds > 0.0 => {
            let age = (now_ms as f64 / 1000.0 - seconds).max(0.0);
            words.push_str(&format!("  position stored {age:.0} s ago"));
        }
        Some(_) | None => {}
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(states: Value, metrics: &str, expected: &[&str], expected_all_run: bool) {
        let (lines, all_run) = describe(&states, metrics, 100_000);
        assert_eq!(lines, expected);
        assert_eq!(all_run, expected_all_run);
    }

    #[test]
    fn states_are_one_line_and_reasons_stand_below() {
        check(json!({}), "", &["no connectors"], true);
        let running = json!({"state": "RUNNING", "worker_id": "a:8083"});
        let task = json!({"state": "RUNNING", "worker_id": "a:8083", "id": 0});
        check(
            json!({"orders": {"status": {"connector": running, "tasks": [task]}}}),
            "headwater_records_acknowledged_total{connector=\"orders\"} 12\nheadwater_last_commit_timestamp_seconds{connector=\"orders\"} 90.5\n",
            &["orders  RUNNING     a:8083  12 records acknowledged  position stored 10 s ago"],
            true,
        );
        let failed = json!({"state": "FAILED", "worker_id": "a:8083", "id": 0, "trace": "HW0454: gone\nhint"});
        check(
            json!({"orders": {"status": {"connector": running, "tasks": [failed]}}}),
            "",
            &["orders  FAILED      a:8083", "          HW0454: gone", "          hint"],
            false,
        );
    }
}
