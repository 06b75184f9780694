//! Promises: whatever a server answers ends in a cluster or in an error that says what was met, within the deadline, and
//! no secret stands in it; the steps can be pasted as they are printed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::error::Coded as _;

/// What the test's server does with a request for one path.
#[derive(Clone)]
enum Act {
    /// Answers with status, content type and body.
    Answer(u16, &'static str, String),
    /// Sends the client elsewhere.
    Redirect(&'static str),
    /// Reads the request and never answers.
    Hang,
    /// Closes without an answer.
    Close,
    /// Promises more than it sends.
    Half(&'static str),
    /// These, one after the other; the last for all that follow.
    InTurn(Vec<Act>),
}

fn json(status: u16, body: &str) -> Act {
    Act::Answer(status, "application/json", body.to_owned())
}

struct Server {
    url: String,
    /// Request lines and headers, as they came.
    seen: Arc<Mutex<Vec<String>>>,
}

/// A server that knows these paths, and answers 404 as Connect does to others.
fn server(paths: &[(&str, Act)]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let paths: BTreeMap<String, Act> = paths.iter().map(|(path, act)| ((*path).to_owned(), act.clone())).collect();
    let requests = seen.clone();
    // Ends with the process: the test's server outlives no test binary.
    std::thread::spawn(move || {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let head = read_head(&stream);
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            requests.lock().unwrap().push(head);
            let count = counts.entry(path.clone()).or_default();
            let not_found = json(404, r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#);
            let mut act = paths.get(&path).unwrap_or(&not_found).clone();
            if let Act::InTurn(acts) = &act {
                act = acts.get(*count).or(acts.last()).unwrap().clone();
            }
            *count += 1;
            if let Act::Hang = act {
                // Kept open until the client gives up.
                std::thread::spawn(move || stream.read_to_end(&mut Vec::new()));
                continue;
            }
            serve(&mut stream, &act);
        }
    });
    Server { url, seen }
}

fn read_head(stream: &TcpStream) -> String {
    let mut head = String::new();
    let mut reader = BufReader::new(stream);
    while let Ok(count) = reader.read_line(&mut head) {
        if count == 0 || head.ends_with("\r\n\r\n") {
            break;
        }
    }
    head
}

fn serve(stream: &mut TcpStream, act: &Act) {
    let _ = match act {
        Act::Answer(status, kind, body) => write!(
            stream,
            "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ),
        Act::Redirect(place) => {
            write!(stream, "HTTP/1.1 302 X\r\nlocation: {place}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        }
        Act::Half(body) => {
            write!(stream, "HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{body}")
        }
        Act::Hang | Act::Close | Act::InTurn(_) => Ok(()),
    };
}

fn address(url: &str) -> http::Address {
    http::Address { from_connect: url.to_owned(), basic_auth: None, bearer: None, ca: None }
}

fn client(url: &str) -> Client {
    patient(url, Duration::from_secs(30))
}

/// A client that gives up on a rebalance soon, and on an answer after this long.
fn patient(url: &str, answer: Duration) -> Client {
    Client::with_deadlines(&address(url), Duration::from_millis(900), answer).unwrap()
}

const ROOT: &str = include_str!("../../../tests/golden/connect/root.json");
const NAMES: &str = include_str!("../../../tests/golden/connect/names.json");
const EXPANDED: &str = include_str!("../../../tests/golden/connect/expanded.json");
const PLUGINS: &str = include_str!("../../../tests/golden/connect/plugins.json");
const OFFSETS: &str = include_str!("../../../tests/golden/connect/offsets.json");
const EXPAND: &str = "/connectors?expand=info&expand=status";

/// What a real Connect 4.3 with Debezium 3.6 answered, with some paths answered otherwise.
fn connect(changed: &[(&'static str, Act)]) -> Server {
    let mut paths = BTreeMap::from([
        ("/", json(200, ROOT)),
        ("/connectors", json(200, NAMES)),
        (EXPAND, json(200, EXPANDED)),
        ("/connector-plugins", json(200, PLUGINS)),
        ("/connectors/migrate-one/offsets", json(200, OFFSETS)),
    ]);
    paths.extend(changed.iter().map(|(path, act)| (*path, act.clone())));
    let paths: Vec<(&str, Act)> = paths.into_iter().collect();
    server(&paths)
}

#[test]
fn the_answers_of_a_real_connect_are_understood() {
    let server = connect(&[]);
    let client = client(&server.url);
    let found = cluster::read(&client).unwrap();
    assert_eq!((found.version.as_str(), found.connectors.len()), ("4.3.1", 1));
    let connector = &found.connectors[0];
    assert_eq!((connector.name.as_str(), connector.state.as_str()), ("migrate-one", "RUNNING"));
    assert_eq!(connector.tasks, ["RUNNING"]);
    assert_eq!(connector.version.as_deref(), Some("3.6.1.Final"));
    assert_eq!(connector.class(), "io.debezium.connector.mysql.MySqlConnector");
    let Offsets::Stored(offsets) = cluster::offsets(&client, "migrate-one").unwrap() else { panic!() };
    assert_eq!(offsets[0].0, serde_json::json!({"server": "migrate1"}));
    assert_eq!(cluster::offsets(&client, "other").unwrap(), Offsets::NotTold);
    // Nothing but questions.
    assert!(server.seen.lock().unwrap().iter().all(|head| head.starts_with("GET ")));
    assert!(!format!("{found:?}").contains("cdcpw"));
}

/// One path answered otherwise: the error's page, and a word of it.
fn refused(path: &'static str, act: Act, code: u16, word: &str) {
    let answer = Duration::from_millis(if matches!(act, Act::Hang) { 700 } else { 30_000 });
    let server = connect(&[(path, act)]);
    let client = patient(&server.url, answer);
    let error = cluster::read(&client)
        .and_then(|found| cluster::offsets(&client, &found.connectors[0].name).map(|_| found.connectors.len()))
        .expect_err(word);
    assert_eq!(error.code().number, code, "{path} {error}");
    let said = error.to_string();
    assert!(said.contains(word), "{path}: no {word:?} in {said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn what_is_not_connect_or_not_whole_is_refused() {
    let page = |status| Act::Answer(status, "text/html", "<html>hunter2</html>".to_owned());
    refused("/", page(200), 1114, "text/html");
    refused("/", page(404), 1114, "it answers 404");
    refused("/", json(200, "[]"), 1114, "neither a version");
    refused("/", json(200, r#"{"version":"0.1.0","kafka_cluster_id":null}"#), 1114, "Headwater");
    refused("/", json(404, r#"{"error_code":404,"message":"hunter2"}"#), 1114, "nothing at /");
    refused("/", json(400, r#"{"password":"hunter2"}"#), 1114, "it answers 400");
    refused("/", Act::Redirect("https://user:hunter2@other:1/x?token=hunter2"), 1115, "https://other:1/x");
    refused("/", json(401, "hunter2"), 1113, "401");
    refused("/connectors", page(403), 1113, "403");
    refused("/", Act::Hang, 1112, "did not answer");
    refused("/", Act::Close, 1117, "broke off");
    refused("/connectors", json(409, "hunter2"), 1116, "409");
    refused("/connectors", json(500, "hunter2"), 1116, "500");
    refused("/connectors", json(200, r#"["a","hunt"#), 1117, "in the middle");
    refused("/connectors", Act::Half(r#"["hunter2"#), 1117, "");
    refused("/connectors", json(200, r#"{"a":"hunter2"}"#), 1117, "no list");
    refused("/connectors", json(200, "[1]"), 1117, "no text");
    refused(EXPAND, json(200, "7"), 1117, "neither an object");
    refused(EXPAND, json(200, r#"{"migrate-one":{"info":{"config":"hunter2"}}}"#), 1117, "no object");
    // Left out of the list, and gone when asked for.
    refused(EXPAND, json(200, "{}"), 1117, "not there (any more)");
    refused("/connector-plugins", json(200, "{}"), 1117, "no list");
    refused("/connectors/migrate-one/offsets", json(200, "{}"), 1117, "no list of offsets");
    refused("/connectors/migrate-one/offsets", json(200, r#"{"offsets":[{"offset":{}}]}"#), 1117, "no partition");
    assert_eq!(cluster::read(&client("http://127.0.0.1:1")).unwrap_err().code().number, 1111);
}

/// A rebalance, and lists that leave something out, are no reason to give up.
#[test]
fn what_passes_is_waited_out_and_what_is_left_out_is_asked_for() {
    let server = connect(&[
        ("/connectors", Act::InTurn(vec![json(409, "{}"), json(503, "{}"), json(200, r#"["migrate-one","late"]"#)])),
        ("/connectors/late/config", json(200, r#"{"connector.class":"a.B","x":null}"#)),
        ("/connector-plugins", Act::Answer(404, "application/json", r#"{"error_code":404}"#.to_owned())),
    ]);
    let client =
        Client::with_deadlines(&address(&server.url), Duration::from_secs(60), Duration::from_secs(30)).unwrap();
    let found = cluster::read(&client).unwrap();
    let names: Vec<&str> = found.connectors.iter().map(|connector| connector.name.as_str()).collect();
    assert_eq!(names, ["late", "migrate-one"]);
    assert_eq!(found.connectors[0].state, "UNASSIGNED");
    assert_eq!(found.connectors[1].version, None);
}

#[test]
fn credentials_are_sent_and_never_shown() {
    let server = connect(&[]);
    let check = |basic: Option<&str>, bearer: Option<&str>, expected: &str| {
        let address = http::Address {
            basic_auth: basic.map(str::to_owned),
            bearer: bearer.map(str::to_owned),
            ..address(&server.url)
        };
        assert!(!format!("{address:?}").contains("hunter2"));
        cluster::read(&Client::new(&address).unwrap()).unwrap();
        let last = server.seen.lock().unwrap().last().unwrap().clone();
        assert!(last.contains(expected), "{last}");
    };
    check(Some("me:hunter2"), None, "Basic bWU6aHVudGVyMg==");
    check(None, Some("hunter2"), "Bearer hunter2");
}

/// An option that cannot be used, and that its secret is not repeated.
#[test]
fn options_that_cannot_be_used_are_refused() {
    let check = |address: http::Address| {
        let error = Client::new(&address).err().expect("refused");
        assert_eq!(error.code().number, 1110);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    };
    for url in
        ["", "ftp://x", "http://", "http://me:hunter2@x:1", "http://x/'hunter2", "http://x?hunter2", "http://x y"]
    {
        check(address(url));
    }
    check(http::Address { basic_auth: Some("hunter2".to_owned()), ..address("x") });
    check(http::Address { bearer: Some("hunter2\nx".to_owned()), ..address("x") });
    check(http::Address { ca: Some("/nowhere".into()), ..address("https://x") });
    assert_eq!(
        Client::new(&address("x:1/path/")).map(|client| client.base().to_owned()),
        Ok("http://x:1/path".to_owned())
    );
}

fn situation<'s>(client: &'s Client, can_stop: bool, worker: &'s Path) -> steps::Situation<'s> {
    steps::Situation {
        client,
        can_stop,
        program: "/opt/head water".to_owned(),
        worker: Some(worker),
        to_fill_in: false,
        listener: None,
        url: "http://127.0.0.1:8083".to_owned(),
    }
}

#[test]
fn steps_can_be_pasted() {
    let client = client("http://connect:8083");
    let (file, worker) = (Path::new("my folder/a.json"), Path::new("w.properties"));
    let moves = [steps::Move { name: "a/b", file }];
    let text = steps::steps(&situation(&client, true, worker), &moves).join("\n");
    for line in [
        "curl -fsS -X PUT http://connect:8083/connectors/a%2Fb/stop",
        "'/opt/head water' check 'my folder/a.json' --worker w.properties",
        "'/opt/head water' run 'my folder/a.json' --worker w.properties",
        "curl -fsS -X PUT http://connect:8083/connectors/a%2Fb/resume",
    ] {
        assert!(text.lines().any(|found| found.trim() == line), "no {line}\n{text}");
    }
    assert!(!text.contains("DELETE"), "{text}");
    let text = steps::steps(&situation(&client, false, worker), &moves).join("\n");
    assert!(text.contains("-X DELETE") && text.contains("-d '@my folder/a.json'"), "{text}");
    assert!(!text.contains("/stop"), "{text}");
}

/// Whatever address somebody was sent, and whatever a connector is called: a line does one thing.
#[test]
fn an_address_and_a_name_are_one_word_of_each_line() {
    let client = client("http://connect:8083/a;reboot&(b)|c>d");
    let (file, worker) = (Path::new("a.json"), Path::new("w.properties"));
    let moves = [steps::Move { name: "x';reboot\n$(y)", file }];
    for can_stop in [true, false] {
        let lines = steps::steps(&situation(&client, can_stop, worker), &moves);
        for line in lines.iter().filter(|line| line.contains("http://connect")) {
            let quoted: String = line.split('\'').skip(1).step_by(2).collect();
            let plain: String = line.split('\'').step_by(2).collect();
            assert!(quoted.contains("a;reboot&(b)|c>d/connectors"), "{line}");
            assert!(!plain.contains("reboot") && !line.contains('\n'), "{line}");
        }
    }
}

#[test]
fn words_are_quoted_for_a_shell() {
    let check = |word: &str, expected: &str| assert_eq!(steps::quoted(word), expected);
    check("a/b-c.json", "a/b-c.json");
    check("a b", "'a b'");
    check("$(rm)", "'$(rm)'");
    check("it's", "'it'\\''s'");
    check("", "''");
}
