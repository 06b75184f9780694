//! Kafka Connect's REST API, as far as tests and benches ask it: that of a Connect with Debezium, and ours.

use std::time::{Duration, Instant};

use serde_json::Value;

/// How long REST may take.
pub const ANSWER: Duration = Duration::from_secs(90);

/// The answer's JSON, if it is any; the status and what was said where it is refused.
pub fn ask(method: &str, url: &str, body: Option<&Value>) -> Result<Value, String> {
    let request = ureq::http::Request::builder().method(method).uri(url).header("Content-Type", "application/json");
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(ANSWER)).http_status_as_error(false).build().into();
    let request = request.body(body.map(Value::to_string).unwrap_or_default()).unwrap();
    let mut answer = agent.run(request).map_err(|error| error.to_string())?;
    let status = answer.status();
    let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
    if status.is_success() {
        Ok(serde_json::from_str(&text).unwrap_or_default())
    } else {
        Err(format!("{status}: {text}"))
    }
}

/// Asks for a change of a connector: its `config`, `stop`, `resume`. While Connect puts its tasks in order anew it answers
/// 409, and is asked again.
pub fn put(base: &str, name: &str, what: &str, body: Option<&Value>) -> Result<(), String> {
    let (url, deadline) = (format!("{base}/connectors/{name}/{what}"), Instant::now() + ANSWER);
    loop {
        match ask("PUT", &url, body) {
            Err(said) if said.starts_with("409") && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(200));
            }
            said => return said.map(drop),
        }
    }
}

/// RUNNING (with its tasks), FAILED or what else Connect's status says, and the failure's words.
pub fn state(base: &str, name: &str) -> (String, String) {
    let unknown = || ("UNKNOWN".to_owned(), String::new());
    let Ok(status) = ask("GET", &format!("{base}/connectors/{name}/status"), None) else { return unknown() };
    let tasks = status["tasks"].as_array().map_or(&[][..], Vec::as_slice);
    let said: Vec<&Value> = std::iter::once(&status["connector"]).chain(tasks).collect();
    let text = |part: &Value, field: &str| part[field].as_str().unwrap_or_default().to_owned();
    let failed = said.iter().find(|part| part["state"] == "FAILED");
    let Some(part) = failed.or(said.last()) else { return unknown() };
    match text(part, "state") {
        state if state == "RUNNING" && tasks.is_empty() => ("UNASSIGNED".to_owned(), String::new()),
        state => (state, text(part, "trace")),
    }
}
