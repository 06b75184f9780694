//! The binary with nothing but a worker's settings, and a client of its API.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use headwater::util::{http, key_store};
use serde_json::{Value, json};

use crate::support::server::Server;
use crate::support::{address, eventually, free_port, scratch, unique};

/// Where the servers are.
pub struct Place {
    database: String,
    kafka: String,
}

impl Place {
    /// A database of the test's own, and a broker.
    pub fn at(server: &Server, kafka: &str) -> Place {
        Place { database: server.address(), kafka: kafka.to_owned() }
    }
}

impl Place {
    /// The broker.
    pub fn kafka(&self) -> &str {
        &self.kafka
    }
}

/// The servers that a test needs; `None`: it is skipped, which is said.
pub fn place(test: &str) -> Option<Place> {
    let database = address("HEADWATER_TEST_MYSQL_97", test)?;
    Some(Place { database, kafka: address("HEADWATER_TEST_KAFKA", test)? })
}

/// A worker; killed when dropped.
pub struct Process {
    pub name: String,
    pub port: u16,
    pub database_port: String,
    pub kafka: String,
    pub server_id: u32,
    /// `None` before it runs.
    child: Option<Child>,
    folder: tempfile::TempDir,
    agent: ureq::Agent,
    scheme: &'static str,
}

/// A key with a certificate for 127.0.0.1, as PEM, and the certificate alone.
pub fn self_signed() -> (Vec<u8>, Vec<u8>) {
    use openssl::{asn1::Asn1Time, bn::BigNum, hash::MessageDigest, pkey::PKey, rsa::Rsa, x509};
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut name = x509::X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "localhost").unwrap();
    let name = name.build();
    let mut builder = x509::X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(3650).unwrap()).unwrap();
    let mut names = x509::extension::SubjectAlternativeName::new();
    let names = names.ip("127.0.0.1").dns("localhost").build(&builder.x509v3_context(None, None)).unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    let certificate = builder.build().to_pem().unwrap();
    let pem = [certificate.clone(), key.private_key_to_pem_pkcs8().unwrap()].concat();
    (pem, certificate)
}

impl Process {
    /// Starts a worker that knows no connector yet, with more settings.
    pub fn start(place: &Place, what: &str, more: &[(&str, &str)]) -> Process {
        let mut process = Self::prepare(place, what, more);
        process.start_again();
        process
    }

    /// The same, not started yet.
    pub fn prepare(place: &Place, what: &str, more: &[(&str, &str)]) -> Process {
        Self::prepare_as(place, what, more, "http", ureq::tls::TlsConfig::default())
    }

    /// The same on https, for a client that trusts this certificate alone, and has a key and certificate of its own, as PEM.
    pub fn start_https(
        place: &Place,
        what: &str,
        more: &[(&str, &str)],
        certificate: &[u8],
        own: Option<&[u8]>,
    ) -> Process {
        let trusted = key_store::trusted(certificate, "").unwrap();
        let identity = own.map(|pem| key_store::identity(pem, "", None).unwrap());
        let tls = http::tls(Some(&trusted), identity.as_ref()).unwrap();
        let mut process = Self::prepare_as(place, what, more, "https", tls);
        process.start_again();
        process
    }

    fn prepare_as(
        place: &Place,
        what: &str,
        more: &[(&str, &str)],
        scheme: &'static str,
        tls: ureq::tls::TlsConfig,
    ) -> Process {
        let (name, port, folder) = (unique(what), free_port(), scratch("rest-"));
        let mut settings = vec![
            ("bootstrap.servers", place.kafka.clone()),
            ("group.id", name.clone()),
            ("offset.storage.topic", format!("{name}.offsets")),
            ("offset.storage.replication.factor", "1".to_owned()),
            ("offset.storage.partitions", "1".to_owned()),
            ("config.storage.topic", format!("{name}.configs")),
            ("config.storage.replication.factor", "1".to_owned()),
            ("status.storage.topic", format!("{name}.status")),
            ("status.storage.replication.factor", "1".to_owned()),
            ("key.converter", "org.apache.kafka.connect.json.JsonConverter".to_owned()),
            ("value.converter", "org.apache.kafka.connect.json.JsonConverter".to_owned()),
            ("listeners", format!("{scheme}://127.0.0.1:{port}")),
            ("offset.flush.interval.ms", "200".to_owned()),
        ];
        settings.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let lines: String = settings.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        std::fs::write(folder.path().join("worker.properties"), lines).unwrap();
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(100)))
            .http_status_as_error(false)
            .tls_config(tls)
            .build()
            .into();
        Process {
            name,
            port,
            database_port: place.database.rsplit(':').next().unwrap().to_owned(),
            kafka: place.kafka.clone(),
            server_id: fastrand::u32(100_000..2_000_000_000),
            child: None,
            folder,
            agent,
            scheme,
        }
    }

    /// Another worker of the same group, with the same topics.
    pub fn start_beside(&self) -> Process {
        let (port, folder) = (free_port(), scratch("rest-"));
        let lines = std::fs::read_to_string(self.folder.path().join("worker.properties")).unwrap();
        let lines = format!("{lines}listeners={}://127.0.0.1:{port}\n", self.scheme);
        std::fs::write(folder.path().join("worker.properties"), lines).unwrap();
        let mut process = Process {
            name: self.name.clone(),
            port,
            database_port: self.database_port.clone(),
            kafka: self.kafka.clone(),
            server_id: self.server_id,
            child: None,
            folder,
            agent: self.agent.clone(),
            scheme: self.scheme,
        };
        process.start_again();
        process
    }

    /// Sends a signal: `STOP`, `CONT`, `TERM`.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .arg(format!("-{signal}"))
            .arg(self.child.as_ref().unwrap().id().to_string())
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for its end.
    pub fn wait(&mut self) {
        let child = self.child.as_mut().unwrap();
        eventually("the end of the process", Duration::from_secs(60), || child.try_wait().unwrap());
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let child = self.child.as_mut().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn wait_until_ready(&self) {
        eventually(&format!("the worker answers\n{}", self.log_tail()), Duration::from_secs(60), || {
            let url = format!("{}://127.0.0.1:{}/health", self.scheme, self.port);
            self.agent.get(&url).call().ok().filter(|answer| answer.status() == 200).map(drop)
        });
    }

    /// SIGKILL, and another process with the same settings.
    pub fn kill_and_start(&mut self) {
        self.kill();
        self.start_again();
    }

    /// A process with these settings, where none runs.
    pub fn start_again(&mut self) {
        self.child = Some(run(&self.folder));
        self.wait_until_ready();
    }

    /// A connector's settings.
    pub fn config(&self) -> Value {
        json!({
            "connector.class": "io.debezium.connector.mysql.MySqlConnector",
            "tasks.max": "1",
            "database.hostname": "127.0.0.1",
            "database.port": self.database_port,
            "database.user": "cdc",
            "database.password": "cdcpw",
            "database.server.id": self.server_id.to_string(),
            "topic.prefix": self.name,
            "snapshot.mode": "no_data",
            "database.include.list": format!("{}_db", self.name),
            "schema.history.internal.kafka.bootstrap.servers": self.kafka,
            "schema.history.internal.kafka.topic": format!("{}.history", self.name),
        })
    }

    pub fn put_config(&self, name: &str, config: &Value) -> (u16, Value) {
        self.ask("PUT", &format!("/connectors/{name}/config"), Some(&config.to_string()))
    }

    pub fn ask(&self, method: &str, path: &str, body: Option<&str>) -> (u16, Value) {
        self.ask_as(method, path, body, None)
    }

    /// With another type than JSON.
    pub fn ask_as(&self, method: &str, path: &str, body: Option<&str>, kind: Option<&str>) -> (u16, Value) {
        self.ask_with(method, path, body, &[("Content-Type", kind.unwrap_or("application/json"))])
    }

    /// The code, and the body: JSON where it is JSON, null where it is empty.
    pub fn ask_with(&self, method: &str, path: &str, body: Option<&str>, headers: &[(&str, &str)]) -> (u16, Value) {
        let url = format!("{}://127.0.0.1:{}{path}", self.scheme, self.port);
        let mut request = ureq::http::Request::builder().method(method).uri(&url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.unwrap_or_default().to_owned()).unwrap();
        let mut answer =
            self.agent.run(request).unwrap_or_else(|error| panic!("{method} {url}: {error}\n{}", self.log_tail()));
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().unwrap();
        let body =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::String(text)) };
        (status, body)
    }

    /// Waits until a connector and its tasks have a state.
    pub fn wait_for(&self, name: &str, state: &str, within: Duration) {
        let mut last = Value::Null;
        let deadline = std::time::Instant::now() + within;
        while std::time::Instant::now() < deadline {
            last = self.ask("GET", &format!("/connectors/{name}/status"), None).1;
            let tasks = last["tasks"].as_array().into_iter().flatten();
            if last["connector"]["state"] == state && tasks.into_iter().all(|task| task["state"] == state) {
                return;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        panic!("{name} is not {state} within {within:?}: {last}\n{}", self.log_tail());
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.path().join("log")).unwrap_or_default()).into_owned()
    }

    /// How many lines of the log hold these words.
    pub fn log_count(&self, words: &str) -> usize {
        self.log().lines().filter(|line| line.contains(words)).count()
    }

    pub fn log_tail(&self) -> String {
        let log = self.log();
        let skip = log.lines().count().saturating_sub(30);
        log.lines().skip(skip).map(|line| format!("  | {line}\n")).collect()
    }
}

fn run(folder: &tempfile::TempDir) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.path().join("log")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
    command.args(["run", "--worker"]).arg(folder.path().join("worker.properties")).env("NO_COLOR", "1");
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
