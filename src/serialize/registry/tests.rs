//! Promises: whatever a registry answers ends in an id or in an error that says what was met, within the deadline.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::*;
use crate::error::Disposition;

/// What the test's registry does with one connection.
#[derive(Clone)]
enum Act {
    /// Answers with status, content type and body.
    Answer(u16, &'static str, String),
    /// A redirect.
    Redirect(&'static str),
    /// Reads the request and never answers.
    Hang,
    /// Closes at once.
    Close,
    /// Announces more than the limit and sends until nobody reads.
    Flood,
}

fn json(status: u16, body: &str) -> Act {
    Act::Answer(status, "application/vnd.schemaregistry.v1+json", body.into())
}

/// A registry with a script: one act per connection, the last one for all that follow.
struct Scripted {
    url: String,
    /// First lines and bodies of the requests, as they came.
    requests: Arc<Mutex<Vec<String>>>,
}

fn scripted(script: Vec<Act>) -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = requests.clone();
    // Ends with the process: the test's registry outlives no test binary.
    std::thread::spawn(move || {
        for (index, stream) in listener.incoming().enumerate() {
            let act = script.get(index).or(script.last()).unwrap().clone();
            let seen = seen.clone();
            std::thread::spawn(move || serve(stream.unwrap(), &act, &seen));
        }
    });
    Scripted { url, requests }
}

fn serve(mut stream: TcpStream, act: &Act, seen: &Mutex<Vec<String>>) {
    if matches!(act, Act::Close) {
        return;
    }
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                seen.lock().unwrap().push(text);
                break;
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(count) => request.extend_from_slice(&buffer[..count]),
        }
    }
    let _ = match act {
        Act::Answer(status, kind, body) => write!(
            stream,
            "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ),
        Act::Redirect(to) => {
            write!(stream, "HTTP/1.1 302 X\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        }
        Act::Flood => {
            let _ = write!(stream, "HTTP/1.1 200 X\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n[");
            while stream.write_all(&[b' '; 65536]).is_ok() {}
            Ok(())
        }
        Act::Hang => {
            let _ = stream.read(&mut buffer);
            Ok(())
        }
        Act::Close => Ok(()),
    };
}

fn registry(urls: &str, settings: &[(&str, &str)]) -> (Registry, Arc<AtomicBool>) {
    let mut config: BTreeMap<String, String> = BTreeMap::new();
    config.insert("schema.registry.url".into(), urls.into());
    config.insert("registry.deadline.ms".into(), "1500".into());
    config.insert("http.read.timeout.ms".into(), "200".into());
    config.insert("http.connect.timeout.ms".into(), "200".into());
    config.insert("retries.wait.ms".into(), "20".into());
    config.extend(settings.iter().map(|(k, v)| (k.to_string(), v.to_string())));
    let stop = Arc::new(AtomicBool::new(false));
    (Registry::open(&Options::new(&config), &stop).unwrap(), stop)
}

const TEXT: &str = r#"{"type":"record","name":"V","fields":[{"name":"id","type":"int"}]}"#;

/// Runs one call against a script and compares what comes of it: an id, or a code and a part of the message.
fn check(script: Vec<Act>, settings: &[(&str, &str)], expected: Result<u32, (u16, &str)>) {
    let begun = Instant::now();
    let server = scripted(script);
    let (registry, _) = registry(&server.url, settings);
    match (registry.id("t-value", TEXT), expected) {
        (Ok(id), Ok(wanted)) => assert_eq!(id, wanted),
        (Err(error), Err((code, part))) => {
            assert_eq!(error.code().number, code, "{error}");
            assert!(error.to_string().contains(part), "{error}");
            assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
        }
        (found, wanted) => panic!("{found:?} instead of {wanted:?}"),
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "took {:?}", begun.elapsed());
}

#[test]
fn an_id_is_found_by_every_policy() {
    check(vec![json(200, r#"{"id":7}"#)], &[], Ok(7));
    check(vec![json(200, r#"{"id":7}"#)], &[("auto.register.schemas", "false")], Ok(7));
    let schema = serde_json::to_string(TEXT).unwrap();
    let latest = format!(r#"{{"subject":"t-value","version":3,"id":9,"schema":{schema}}}"#);
    let use_latest = [("auto.register.schemas", "false"), ("use.latest.version", "true")];
    check(vec![json(200, &latest)], &use_latest, Ok(9));
    let use_id = [("auto.register.schemas", "false"), ("use.schema.id", "11")];
    check(vec![json(200, &format!(r#"{{"schema":{schema}}}"#))], &use_id, Ok(11));
    check(vec![json(200, r#"{"schema":"\"string\""}"#)], &use_id, Err((649, "schema id 11")));
    check(vec![json(200, r#"{"id":9,"version":3,"schema":"\"int\""}"#)], &use_latest, Err((649, "version 3")));
    check(vec![json(200, r#"{"id":9,"version":3,"schema":"{"}"#)], &use_latest, Err((649, "not an Avro schema")));
}

#[test]
fn the_weather_is_waited_out() {
    let fine = || json(200, r#"{"id":7}"#);
    check(vec![json(429, "{}"), json(503, "busy"), fine()], &[], Ok(7));
    check(vec![Act::Close, Act::Close, fine()], &[], Ok(7));
    check(vec![Act::Hang, fine()], &[], Ok(7));
}

#[test]
fn weather_that_lasts_is_reported_as_such() {
    check(vec![json(500, r#"{"message":"out of\u0007 disk"}"#)], &[], Err((641, "out of  disk")));
    check(vec![Act::Answer(502, "text/html", "<html>\n<b>Bad gateway".into())], &[], Err((641, "<html>")));
    check(vec![Act::Hang], &[], Err((640, "http://127.0.0.1")));
    check(vec![Act::Close], &[], Err((640, "attempts")));
}

#[test]
fn what_is_no_registry_is_named() {
    let html = "\n\n<!DOCTYPE html>\u{1b}[31m<title>Sign in</title>";
    check(vec![Act::Answer(200, "text/html", html.into())], &[], Err((642, "text/html")));
    check(vec![Act::Answer(404, "text/plain", "nothing here".into())], &[], Err((642, "nothing here")));
    let problem = r#"{"title":"Not Found","status":404}"#;
    check(vec![json(404, problem)], &[], Err((642, "Not Found")));
    check(
        vec![json(404, r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#)],
        &[],
        Err((650, "HTTP 404 Not Found")),
    );
    check(vec![Act::Answer(200, "", String::new())], &[], Err((642, "no content type")));
    for body in
        [r#"{"id":"7"}"#, r#"{"id":-1}"#, r#"{"id":0}"#, r#"{"id":2147483648}"#, r#"{"id":1.5}"#, "[]", "7", "null"]
    {
        check(vec![json(200, body)], &[], Err((643, "id is not a schema id")));
    }
    check(
        vec![Act::Flood],
        &[("http.read.timeout.ms", "10000"), ("registry.deadline.ms", "15000")],
        Err((644, "16777216")),
    );
    check(vec![Act::Redirect("https://me:pw@login/?token=x")], &[], Err((645, "redirects to login/")));
}

#[test]
fn refusals_carry_the_registrys_words() {
    check(vec![json(401, r#"{"message":"who?"}"#)], &[], Err((646, "401 who?")));
    check(vec![Act::Answer(403, "text/html", "<html>".into())], &[], Err((646, "403")));
    check(vec![json(422, r#"{"error_code":42201,"message":"bad schema"}"#)], &[], Err((650, "42201")));
    let not_there = json(404, r#"{"error_code":40403,"message":"Schema not found"}"#);
    check(vec![not_there.clone()], &[("auto.register.schemas", "false")], Err((648, "Schema not found")));
    check(vec![not_there.clone()], &[], Err((650, "Schema not found")));
    let conflict = json(409, r#"{"error_code":409,"message":"incompatible"}"#);
    let latest = json(200, r#"{"version":4,"id":2,"schema":"\"int\""}"#);
    let verdict =
        json(200, r#"{"is_compatible":false,"messages":["READER_FIELD_MISSING_DEFAULT_VALUE at /fields/1"]}"#);
    let refused = || vec![conflict.clone(), not_there.clone(), latest.clone()];
    check([refused(), vec![verdict]].concat(), &[], Err((647, "version 4: READER_FIELD")));
    let forbidden = json(403, r#"{"message":"no right to look up"}"#);
    let unknown = json(404, r#"{"error_code":40401,"message":"Subject not found"}"#);
    for looked_up in [not_there.clone(), forbidden] {
        check(vec![conflict.clone(), looked_up, unknown.clone(), unknown.clone()], &[], Err((647, "incompatible")));
    }
    let compatible = || [refused(), vec![json(200, r#"{"is_compatible":true}"#)]].concat();
    check([compatible(), vec![json(200, r#"{"id":9}"#)]].concat(), &[], Ok(9));
    check([compatible(), vec![conflict.clone()]].concat(), &[], Err((647, "incompatible")));
}

#[test]
fn a_schema_that_is_there_already_is_no_conflict() {
    // Apicurio, while it still reads its journal.
    let conflict =
        json(409, r#"{"error_code":409,"message":"An artifact with ID 'k' in group 'default' already exists."}"#);
    check(vec![conflict, json(200, r#"{"id":3,"version":1}"#)], &[], Ok(3));
}

#[test]
fn requests_are_those_of_confluents_client() {
    let server = scripted(vec![json(200, r#"{"id":7}"#)]);
    let settings = [
        ("basic.auth.credentials.source", "USER_INFO"),
        ("basic.auth.user.info", "me:pw"),
        ("normalize.schemas", "true"),
        ("request.header.X-Team", "blue"),
    ];
    let (registry, _) = registry(&format!("{}/apis/ccompat/v7/", server.url), &settings);
    for _ in 0..3 {
        assert_eq!(registry.id("a/b c-value", TEXT).unwrap(), 7);
    }
    let requests = server.requests.lock().unwrap();
    assert_eq!(requests.len(), 1, "the id is asked for once");
    let request = requests[0].to_lowercase();
    assert!(
        request.starts_with("post /apis/ccompat/v7/subjects/a%2fb%20c-value/versions?normalize=true http/1.1"),
        "{request}"
    );
    for part in
        ["authorization: basic bwu6chc=", "x-team: blue", "content-type: application/vnd.schemaregistry.v1+json"]
    {
        assert!(request.contains(part), "{part} in {request}");
    }
    assert!(requests[0].ends_with(&format!(r#"{{"schema":{}}}"#, serde_json::to_string(TEXT).unwrap())));
}

#[test]
fn the_next_url_is_tried_when_one_fails() {
    let dead = scripted(vec![Act::Close]);
    let alive = scripted(vec![json(200, r#"{"id":7}"#)]);
    let (registry, _) = registry(&format!("{},{}", dead.url, alive.url), &[]);
    assert_eq!(registry.id("t-value", TEXT).unwrap(), 7);
}

#[test]
fn a_stop_ends_the_waiting() {
    let server = scripted(vec![json(503, "{}")]);
    let (registry, stop) = registry(&server.url, &[("registry.deadline.ms", "600000"), ("retries.wait.ms", "5000")]);
    let begun = Instant::now();
    let waiting = std::thread::spawn(move || registry.id("t-value", TEXT));
    while server.requests.lock().unwrap().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10), "no request came");
        std::thread::yield_now();
    }
    stop.store(true, Ordering::Relaxed);
    let error = waiting.join().unwrap().unwrap_err();
    assert_eq!(error, SerializeError::Stopped);
    assert_eq!(error.code().disposition, Disposition::Retry);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn keystores_that_cannot_be_read_say_what_mends_them() {
    let folder = tempfile::tempdir().unwrap();
    for (content, part) in [
        (&b"\xfe\xed\xfe\xed\x00\x00\x00\x02"[..], "ends too soon"),
        (b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n", "PEM"),
        (b"neither", "neither PEM nor PKCS12"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no certificate"),
    ] {
        let path = folder.path().join("store");
        std::fs::write(&path, content).unwrap();
        let config: BTreeMap<String, String> = [
            ("schema.registry.url".into(), "https://127.0.0.1:1".into()),
            ("schema.registry.ssl.truststore.location".into(), path.to_str().unwrap().into()),
        ]
        .into();
        let error = Registry::open(&Options::new(&config), &Arc::new(AtomicBool::new(false))).err().unwrap();
        assert_eq!(error.code().number, 651);
        assert!(error.to_string().contains(part), "{error}");
    }
}
