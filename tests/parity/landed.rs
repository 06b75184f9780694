//! Everything that a connector left behind, place by place: topics with their partitions, subjects, the stored offset,
//! the state. Names that each run chooses anew are replaced by words, so that two runs can be laid side by side.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::broker::Broker;
use super::json::Node;
use super::support::topic::Record;
use super::{avro, masks};

/// Records by place: `topic PREFIX.DATABASE.orders/0`, `subject …`, `offset`, `state`.
pub type Landed = BTreeMap<String, Vec<Node>>;

/// Schemas by id: the text, and the text read.
type Schemas = Mutex<HashMap<u32, Option<(Node, serde_json::Value)>>>;

/// A schema registry, by its Confluent API.
pub struct Registry {
    url: String,
    schemas: Schemas,
}

impl Registry {
    /// The one at this address.
    pub fn new(url: &str) -> Self {
        Registry { url: url.to_owned(), schemas: Mutex::default() }
    }

    /// What the registry says; nothing where it says that there is no such thing.
    fn ask(&self, path: &str) -> Option<serde_json::Value> {
        let url = format!("{}{path}", self.url);
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let request = ureq::get(&url).config().timeout_global(Some(Duration::from_secs(20)));
            let failure = match request.build().call() {
                Ok(mut answer) => match answer.body_mut().read_json() {
                    Ok(value) => return Some(value),
                    Err(error) => error,
                },
                Err(ureq::Error::StatusCode(404 | 422)) => return None,
                Err(error) => error,
            };
            // A registry without an answer would look like a difference.
            assert!(Instant::now() < deadline, "{url}: {failure}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn decode(&self, id: u32, bytes: &[u8]) -> Option<Node> {
        let mut schemas = self.schemas.lock().unwrap();
        let schema = schemas.entry(id).or_insert_with(|| {
            let answer = self.ask(&format!("/schemas/ids/{id}"))?;
            let text = answer["schema"].as_str()?;
            Some((Node::parse(text)?, serde_json::from_str(text).ok()?))
        });
        let (text, parsed) = schema.as_ref()?;
        let payload = avro::decode(parsed, bytes).unwrap_or_else(|error| Node::string(&format!("not Avro: {error}")));
        Some(Node::object(vec![("schema", text.clone()), ("payload", payload)]))
    }

    /// Reads bytes that begin with a zero and the number of a schema; none where they do not.
    fn read(&self, bytes: &[u8]) -> Option<Node> {
        let [0, rest @ ..] = bytes else { return None };
        let (id, rest) = rest.split_at_checked(4)?;
        self.decode(u32::from_be_bytes(id.try_into().unwrap()), rest)
    }

    /// The texts of each subject that contains `part`, by version.
    pub fn subjects(&self, part: &str) -> BTreeMap<String, Vec<Node>> {
        let all = self.ask("/subjects").unwrap_or_default();
        let names = all.as_array().into_iter().flatten().filter_map(|name| name.as_str());
        let mut found = BTreeMap::new();
        for name in names.filter(|name| name.contains(part)) {
            let path = format!("/subjects/{}/versions", percent(name));
            let versions = self.ask(&path).unwrap_or_default();
            let text = |version: &serde_json::Value| {
                let answer = self.ask(&format!("{path}/{version}")).unwrap_or_default();
                let text = answer["schema"].as_str().unwrap_or_default().to_owned();
                Node::object(vec![("schema", Node::parse(&text).unwrap_or_else(|| Node::string(&text)))])
            };
            found.insert(name.to_owned(), versions.as_array().into_iter().flatten().map(text).collect());
        }
        found
    }

    /// Forgets the subjects that contain `part`.
    pub fn forget(&self, part: &str) {
        let all = self.ask("/subjects").unwrap_or_default();
        for name in
            all.as_array().into_iter().flatten().filter_map(|name| name.as_str()).filter(|name| name.contains(part))
        {
            let _ = ureq::delete(format!("{}/subjects/{}", self.url, percent(name))).call();
        }
    }
}

fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// What the run chose, and the words for it.
#[derive(Clone, Debug)]
pub struct Names {
    /// `topic.prefix` and the connector's name.
    pub prefix: String,
    /// The captured database.
    pub database: String,
}

impl Names {
    fn replace(&self, node: &mut Node) {
        node.each_text(&|text| *text = self.replaced(text));
    }

    fn replaced(&self, text: &str) -> String {
        text.replace(&self.prefix, "PREFIX").replace(&self.database, "DATABASE")
    }
}

/// Reads back everything of one connector, with schemas where a registry is given. `since` (ms): what a producer's clock can have said.
pub fn collect(broker: &Broker, registry: Option<&Registry>, names: &Names, offsets: &str, since: i64) -> Landed {
    let mut landed = Landed::new();
    let topics: Vec<String> =
        broker.topics().into_iter().filter(|topic| topic.contains(&names.prefix) && topic != offsets).collect();
    for message in broker.read(&topics) {
        let place = format!("topic {}/{}", names.replaced(&message.topic), message.partition);
        let mut record = record(registry, &message, since);
        names.replace(&mut record);
        landed.entry(place).or_default().push(record);
    }
    // How many heartbeats come depends on the clock; that they come, and their form, does not.
    for (place, records) in &mut landed {
        if records.first().is_some_and(|record| masks::kind(place, record) == masks::Kind::Heartbeat) {
            records.truncate(1);
        }
    }
    landed.values_mut().for_each(drop_transactions_of_others);
    landed.retain(|_, records| !records.is_empty());
    for (subject, mut texts) in registry.map(|registry| registry.subjects(&names.prefix)).unwrap_or_default() {
        texts.iter_mut().for_each(|text| names.replace(text));
        landed.insert(format!("subject {}", names.replaced(&subject)), texts);
    }
    let key = |message: &Record| String::from_utf8_lossy(message.key.as_deref().unwrap_or_default()).into_owned();
    let quoted = format!("\"{}\"", names.prefix);
    if let Some(last) = broker.read(&[offsets.to_owned()]).into_iter().rfind(|message| key(message).contains(&quoted)) {
        let mut offset = record(registry, &last, since);
        names.replace(&mut offset);
        landed.insert("offset".to_owned(), vec![offset]);
    }
    landed
}

/// The servers of the stack serve others too, whose transactions are announced and are empty to this connector.
fn drop_transactions_of_others(records: &mut Vec<Node>) {
    let field = |record: &Node, name: &str| {
        let value = record.get("value").map(masks::payload);
        value.and_then(|value| value.get(name)).map(Node::print).unwrap_or_default()
    };
    // PostgreSQL's transactions are named by their number and the place of the record, which is another at the end.
    let id = |record: &Node| {
        let id = field(record, "id");
        let number = id.split(':').next().unwrap_or_default();
        if number.trim_matches('"').bytes().all(|byte| byte.is_ascii_digit()) { number.to_owned() } else { id.clone() }
    };
    let own: Vec<String> = records
        .iter()
        .filter(|record| masks::kind("", record) == masks::Kind::Transaction)
        .filter(|record| field(record, "status") == "\"END\"" && field(record, "event_count") != "0")
        .map(id)
        .collect();
    records.retain(|record| masks::kind("", record) != masks::Kind::Transaction || own.contains(&id(record)));
}

fn record(registry: Option<&Registry>, message: &Record, since: i64) -> Node {
    let part = |bytes: &Option<Vec<u8>>| bytes.as_deref().map_or_else(Node::null, |bytes| part(registry, bytes));
    let mut value = part(&message.value);
    read_data(registry, &mut value);
    let headers = message.headers.iter().map(|(name, value)| (name.clone(), part(value))).collect();
    // A record that its source gave no time has the time at which it was sent.
    let timestamp = match message.timestamp {
        Some(time) if time >= since => Node::string("when it was sent"),
        Some(time) => Node::Scalar(time.to_string()),
        None => Node::null(),
    };
    let mut members = vec![
        ("key", part(&message.key)),
        ("value", value),
        ("headers", Node::Object(headers)),
        ("timestamp", timestamp),
    ];
    let value = message.value.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
    if let Some(layout) = value.and_then(layout) {
        members.push(("layout", layout));
    }
    Node::object(members)
}

/// How a JSON text is set out, where blanks stand in it: the records of schema history are printed for people.
fn layout(text: &str) -> Option<Node> {
    Node::parse(text).filter(|node| node.print() != text)?;
    let (mut runs, mut run, mut quoted, mut escaped) = (std::collections::BTreeSet::new(), String::new(), false, false);
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ' ' | '\n' | '\t' | '\r' | '{' | '}' | '[' | ']' | ',' | ':' if !quoted => run.push(character),
            _ if !run.is_empty() => drop(runs.insert(std::mem::take(&mut run))),
            _ => {}
        }
    }
    // Depth and number of members are compared elsewhere: what is left is how one member follows another.
    runs.retain(|run| run.contains(" : ") || run.trim() == ",");
    let runs: Vec<String> =
        runs.iter().map(|run| run.trim_start_matches(['\n', ',']).trim_start().to_owned()).collect();
    let mut kinds = runs;
    kinds.sort();
    kinds.dedup();
    Some(Node::string(&kinds.join("|")))
}

/// A CloudEvent's data that is Avro by itself, in bytes or in Base64: it names its schema by the registry's number.
fn read_data(registry: Option<&Registry>, value: &mut Node) {
    let event = masks::payload_mut(value);
    if !masks::is_cloud_event(event) {
        return;
    }
    let Some((registry, data)) = registry.zip(event.get_mut("data")) else { return };
    let bytes = data.text().and_then(|text| match text.strip_prefix("0x") {
        Some(digits) => avro::unhex(digits),
        None => STANDARD.decode(&text).ok(),
    });
    if let Some(read) = bytes.and_then(|bytes| registry.read(&bytes)) {
        *data = read;
    }
}

fn part(registry: Option<&Registry>, bytes: &[u8]) -> Node {
    if let Some(node) = registry.and_then(|registry| registry.read(bytes)) {
        return node;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Node::parse(text).unwrap_or_else(|| Node::string(text)),
        Err(_) => avro::hex(bytes),
    }
}
