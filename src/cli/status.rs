//! `headwater status`: how the connectors of a running worker are, for people.
//!
//! In: what the worker answers to Kafka Connect's own calls. Out: a line a connector, and below it the reason
//! where there is one. The same calls work on a Kafka Connect cluster, so the command does too.

use std::process::ExitCode;

use anyhow::bail;
use serde_json::Value;

use super::endpoint::Address;
use crate::util::percent;

/// What the command takes.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The worker.
    #[command(flatten)]
    pub address: Address,
}

/// Prints the states; the exit code is 1 unless every connector is RUNNING, or paused or stopped by somebody.
///
/// # Errors
/// When nobody answers, or not as a worker does.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (status, answer) = arguments.address.get("/connectors?expand=status")?;
    let states: Option<Value> = serde_json::from_str(&answer).ok();
    let base = arguments.address.base();
    let states = match (status, states) {
        (200, Some(states)) => states,
        (_, Some(refusal)) if refusal.get("error_code").is_some() => {
            bail!("{base}: {}", text(Some(&refusal), "message"))
        }
        (401, _) => bail!("{base} asks for a password, which this command does not have: ask a listener without one"),
        (_, _) => bail!("{base} answers {status}, and not as a worker does"),
    };
    let metrics = match arguments.address.get("/metrics") {
        Ok((200, text)) => text,
        // The states are what was asked for; a Kafka Connect cluster has no numbers here.
        Ok(_) | Err(_) => String::new(),
    };
    let mut flows = serde_json::Map::new();
    for name in states.as_object().into_iter().flat_map(serde_json::Map::keys) {
        // A Kafka Connect cluster does not know the call.
        if let Ok((200, text)) = arguments.address.get(&format!("/connectors/{}/flow", percent::encode_segment(name)))
            && let Ok(flow) = serde_json::from_str(&text)
        {
            flows.insert(name.clone(), flow);
        }
    }
    let (lines, all_run) = describe(&states, &metrics, &Value::Object(flows), crate::util::clock::now_ms());
    for line in lines {
        super::say(&line);
    }
    Ok(if all_run { ExitCode::SUCCESS } else { ExitCode::from(super::EXIT_FAILED) })
}

/// The lines, and whether all connectors run that are to.
fn describe(states: &Value, metrics: &str, flows: &Value, now_ms: i64) -> (Vec<String>, bool) {
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
        all_run &= matches!(state, "RUNNING" | "PAUSED" | "STOPPED");
        let numbers = numbers(metrics, name, now_ms);
        lines.push(format!("{name:width$}  {state:10}  {}{numbers}", text(connector, "worker_id")));
        for line in text(shown, "trace").lines() {
            lines.push(format!("{:width$}    {line}", ""));
        }
        // What somebody has paused or stopped does as it was told.
        let flow = flows.get(name).filter(|_| !matches!(state, "PAUSED" | "STOPPED"));
        lines.extend(flow_lines(flow, now_ms).into_iter().map(|line| format!("{:width$}    {line}", "")));
    }
    (lines, all_run)
}

fn text<'v>(value: Option<&'v Value>, field: &str) -> &'v str {
    value.and_then(|value| value.get(field)).and_then(Value::as_str).unwrap_or_default()
}

/// What the watchdog says of a connector: its verdict, and where on the ladder something waits.
fn flow_lines(flow: Option<&Value>, now_ms: i64) -> Vec<String> {
    let Some(flow) = flow else { return Vec::new() };
    let number = |value: &Value, field: &str| value.get(field).and_then(Value::as_f64);
    let mut lines = match text(Some(flow), "verdict") {
        // Nothing of it has run since this process began.
        "" => Vec::new(),
        verdict => {
            let since = flow.get("since_ms").and_then(Value::as_i64).unwrap_or(now_ms);
            vec![format!("{verdict} for {}: {}", time(now_ms.saturating_sub(since)), text(Some(flow), "because"))]
        }
    };
    if let Some(bytes) = flow.get("head").and_then(|head| number(head, "behind_bytes")).filter(|bytes| *bytes > 0.0) {
        lines.push(format!("the stream is {bytes:.0} bytes behind the server's log"));
    }
    let canary = flow.get("canary");
    if let Some(time) = canary.and_then(|canary| number(canary, "round_trip_ms")) {
        lines.push(format!("what was written to the database last was acknowledged after {time:.0} ms"));
    }
    if let Some(time) = canary.and_then(|canary| number(canary, "end_to_end_ms")) {
        lines.push(format!("and read back from its topic after {time:.0} ms"));
    }
    match text(canary, "not_read_back") {
        "" => {}
        reason => lines.push(format!("it is not read back: {reason}")),
    }
    for hop in flow.get("ladder").and_then(Value::as_array).into_iter().flatten() {
        if let (Some(waiting), Some(behind)) = (number(hop, "waiting"), number(hop, "behind_ms"))
            && waiting > 0.0
            && text(Some(hop), "hop") != "received"
        {
            let (unit, hop) = (text(Some(hop), "waiting_unit"), text(Some(hop), "hop"));
            lines.push(format!("{waiting:.0} {unit} wait to be {hop}, the oldest for {:.1} s", behind / 1000.0));
        }
    }
    if let Some(last) = flow.get("last_incident").filter(|last| last.is_object()) {
        let lasted = match number(last, "lasted_ms") {
            Some(lasted) => format!("lasted {:.1} s", lasted / 1000.0),
            None => "is not over".to_owned(),
        };
        lines.push(format!("last incident: {} {}, {lasted}", text(Some(last), "verdict"), text(Some(last), "id")));
    }
    lines
}

/// A duration, as exactly as somebody wants to know it.
fn time(ms: i64) -> String {
    match ms.max(0) / 1_000 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
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
        let (lines, all_run) = describe(&states, metrics, &Value::Null, 100_000);
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

    #[test]
    fn the_flow_says_where_something_waits() {
        let hop = |hop: &str, waiting: u64| json!({"hop": hop, "waiting": waiting, "waiting_unit": "records", "behind_ms": 5_250});
        let flow = json!({
            "verdict": "broker_stuck",
            "because": "12 records are under way",
            "since_ms": 100_000,
            "head": {"behind_bytes": 1_024},
            "ladder": [hop("received", 9), hop("encoded", 0), hop("acknowledged", 12)],
            "last_incident": {"id": "orders-1", "verdict": "broker_stuck", "lasted_ms": null},
        });
        let expected = [
            "broker_stuck for 5 min: 12 records are under way",
            "the stream is 1024 bytes behind the server's log",
            "12 records wait to be acknowledged, the oldest for 5.2 s",
            "last incident: broker_stuck orders-1, is not over",
        ];
        assert_eq!(flow_lines(Some(&flow), 400_000), expected);
        assert!(flow_lines(None, 0).is_empty());
        // Nothing has run yet.
        assert!(flow_lines(Some(&json!({"verdict": "", "because": ""})), 0).is_empty());
    }

    #[test]
    fn durations_are_as_long_as_a_word() {
        let check = |ms: i64, expected: &str| assert_eq!(time(ms), expected);
        check(-5, "0 s");
        check(119_999, "119 s");
        check(120_000, "2 min");
        check(7_199_000, "119 min");
        check(7_200_000, "2 h");
        check(172_800_000, "2 days");
    }
}
