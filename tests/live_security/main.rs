//! TLS and logging in, towards a real broker and a real registry, with the properties that users of Java's clients have.
//!
//! A broker of the test's own has a listener with TLS that asks for a client's certificate, and one with SASL over
//! TLS. The registry (`HEADWATER_TEST_REGISTRY`) gets a proxy with TLS and basic authentication in front. The database is a
//! MariaDB of the test's own. Promised of every case: rows reach the topic, or the program says which setting is wrong; no
//! secret is in what it says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

#[path = "../support/mod.rs"]
mod support;

mod authority;
mod https_proxy;

use std::time::{Duration, Instant};

use authority::{Authority, PASSWORD};
use https_proxy::HttpsProxy;
use support::broker::Broker;
use support::program::Connector;
use support::server::Server;
use support::{address, free_port, topic};

const WITHIN: Duration = Duration::from_secs(60);

/// Passwords of alice, who logs in with PLAIN, and of bob, who does with SCRAM.
const ALICE: &str = "alice \"quoted\" secret";
const BOB: &str = "b0b-secret";

type Settings<'a> = Vec<(&'a str, String)>;

/// A broker with listeners for all, in a row: plain, TLS, SASL over TLS.
struct Secured {
    broker: Broker,
    ssl: String,
    sasl_ssl: String,
}

impl Secured {
    fn start(authority: &Authority) -> Secured {
        let (port, ssl, sasl_ssl) = (free_port(), free_port(), free_port());
        let listeners = |controller: &str| {
            format!("PLAINTEXT://127.0.0.1:{port},SSL://127.0.0.1:{ssl},SASL_SSL://127.0.0.1:{sasl_ssl}{controller}")
        };
        let plain = "org.apache.kafka.common.security.plain.PlainLoginModule required";
        let scram = "org.apache.kafka.common.security.scram.ScramLoginModule required";
        let alice = ALICE.replace('"', "\\\\\"");
        let options = [
            format!("listeners={}", listeners(&format!(",CONTROLLER://127.0.0.1:{}", port + 1))),
            format!("advertised.listeners={}", listeners("")),
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL".into(),
            format!("ssl.keystore.location={}", authority.identity("broker")),
            "ssl.keystore.type=PKCS12".into(),
            format!("ssl.keystore.password={PASSWORD}"),
            format!("ssl.key.password={PASSWORD}"),
            format!("ssl.truststore.location={}", authority.path("ca.pem")),
            "ssl.truststore.type=PEM".into(),
            "listener.name.ssl.ssl.client.auth=required".into(),
            "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512".into(),
            format!("listener.name.sasl_ssl.plain.sasl.jaas.config={plain} user_alice=\"{alice}\";"),
            format!("listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={scram};"),
        ];
        let broker = Broker::start_with(port, &options.join("\n"));
        let address = broker.address();
        let user = ["--alter", "--entity-type", "users", "--entity-name", "bob"];
        let password = format!("SCRAM-SHA-512=[password={BOB}]");
        let tool = ["kafka.admin.ConfigCommand", "--bootstrap-server", &address];
        broker.tool(&[tool.as_slice(), &user, &["--add-config", &password]].concat());
        Secured { broker, ssl: format!("127.0.0.1:{ssl}"), sasl_ssl: format!("127.0.0.1:{sasl_ssl}") }
    }
}

fn login(module: &str, user: &str, password: &str) -> String {
    let password = password.replace('"', "\\\"");
    format!("org.apache.kafka.common.security.{module} required username=\"{user}\" password=\"{password}\";")
}

/// A connector whose every client reaches the brokers at `bootstrap` with these properties, as a Connect worker's
/// file has them: bare for the worker, and again for producers, consumers and the schema history.
fn secured(connector: Connector, bootstrap: &str, properties: &Settings<'_>) -> Connector {
    let (mut worker, mut own) = (vec![("bootstrap.servers".to_owned(), bootstrap.to_owned())], Vec::new());
    own.push(("schema.history.internal.kafka.bootstrap.servers".to_owned(), bootstrap.to_owned()));
    for (name, value) in properties {
        // In a properties file a backslash is written twice.
        let written = value.replace('\\', "\\\\").replace('\n', "\\n");
        for prefix in ["", "producer.", "consumer."] {
            worker.push((format!("{prefix}{name}"), written.clone()));
        }
        for prefix in ["producer", "consumer"] {
            own.push((format!("schema.history.internal.{prefix}.{name}"), value.clone()));
        }
    }
    let connector = own.iter().fold(connector, |connector, (name, value)| connector.with(&[(name, value)]));
    worker.iter().fold(connector, |connector, (name, value)| connector.with_worker(&[(name, value)]))
}

/// What a case shares.
struct World {
    server: Server,
    secured: Secured,
}

impl World {
    fn connector(&self, name: &str, bootstrap: &str, properties: &Settings<'_>) -> Connector {
        self.server.sql(&[&format!("CREATE DATABASE {name}"), &format!("CREATE TABLE {name}.t (id INT PRIMARY KEY)")]);
        secured(Connector::new(&self.server, &self.secured.broker.address(), name), bootstrap, properties)
    }

    /// A row reaches the topic, with positions and history stored over the same connections.
    fn flows(&self, name: &str, connector: &Connector, secrets: &[&str]) {
        let began = Instant::now();
        let running = connector.start_streaming();
        self.server.sql(&[&format!("INSERT INTO {name}.t VALUES (1), (2), (3)")]);
        connector.catch_up(&running, &self.server, WITHIN);
        let log = running.log();
        assert!(running.terminate(WITHIN).success());
        assert_eq!(topic::read_all(&connector.broker, &connector.topic(&format!("{name}.t"))).len(), 3, "{name}");
        for secret in secrets {
            assert!(!log.contains(secret), "{name}: a secret is in the log");
        }
        println!("{name}: ok, {:.1?}", began.elapsed());
    }

    /// `check` says what is wrong, and no secret.
    fn refused(&self, name: &str, bootstrap: &str, properties: &Settings<'_>, expected: &str, secrets: &[&str]) {
        let said = self.connector(name, bootstrap, properties).check();
        assert!(said.contains(expected), "{name}: no {expected:?} in\n{said}");
        assert!(!said.contains("It would run"), "{name}: {said}");
        for secret in secrets {
            assert!(!said.contains(secret), "{name}: a secret is said");
        }
        println!("{name}: refused");
    }
}

fn of(settings: &[(&'static str, &str)]) -> Settings<'static> {
    settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn brokers(world: &World, authority: &Authority) {
    let (pkcs12, jks) = (authority.truststore("PKCS12"), authority.truststore("JKS"));
    let identity = authority.identity("client");
    let identity_jks = authority.identity_as_jks(&identity);
    let trust = |path: &str, kind: &str| -> Settings<'static> {
        of(&[("ssl.truststore.location", path), ("ssl.truststore.type", kind), ("ssl.truststore.password", PASSWORD)])
    };
    let key = |path: &str, kind: &str| -> Settings<'static> {
        let store = [("ssl.keystore.location", path), ("ssl.keystore.type", kind)];
        of(&[store.as_slice(), &[("ssl.keystore.password", PASSWORD), ("ssl.key.password", PASSWORD)]].concat())
    };
    let sasl = |mechanism: &str, jaas: &str| -> Settings<'static> {
        of(&[("security.protocol", "SASL_SSL"), ("sasl.mechanism", mechanism), ("sasl.jaas.config", jaas)])
    };
    let (ssl, sasl_ssl) = (&world.secured.ssl, &world.secured.sasl_ssl);
    let tls = of(&[("security.protocol", "SSL")]);
    let pem = of(&[("ssl.truststore.location", &authority.path("ca.pem")), ("ssl.truststore.type", "PEM")]);
    let inline = of(&[("ssl.truststore.certificates", &authority.pem()), ("ssl.truststore.type", "PEM")]);
    let alice = login("plain.PlainLoginModule", "alice", ALICE);
    let bob = login("scram.ScramLoginModule", "bob", BOB);
    let secrets = [PASSWORD, "alice \\\"quoted", "quoted\" secret", BOB];
    let cases: Vec<(&str, &String, Settings<'_>)> = vec![
        ("ssl_pem_pkcs12", ssl, [tls.clone(), pem, key(&identity, "PKCS12")].concat()),
        ("ssl_jks_jks", ssl, [tls.clone(), trust(&jks, "JKS"), key(&identity_jks, "JKS")].concat()),
        ("sasl_plain_pkcs12", sasl_ssl, [sasl("PLAIN", &alice), trust(&pkcs12, "PKCS12")].concat()),
        ("sasl_scram_jks", sasl_ssl, [sasl("SCRAM-SHA-512", &bob), trust(&jks, "JKS")].concat()),
        ("sasl_scram_inline", sasl_ssl, [sasl("SCRAM-SHA-512", &bob), inline].concat()),
    ];
    for (name, bootstrap, properties) in &cases {
        world.flows(name, &world.connector(name, bootstrap, properties), &secrets);
    }
    let wrong = login("scram.ScramLoginModule", "bob", "wr0ng-secret");
    let wrong_login = [sasl("SCRAM-SHA-512", &wrong), trust(&jks, "JKS")].concat();
    let stranger = Authority::new();
    let other = of(&[("ssl.truststore.location", &stranger.path("ca.pem"))]);
    let wrong_authority = [tls.clone(), other, key(&identity, "PKCS12")].concat();
    let unopened = of(&[("ssl.truststore.location", pkcs12.as_str()), ("ssl.truststore.password", "wr0ng-secret")]);
    let wrong_password = [tls, unopened, key(&identity, "PKCS12")].concat();
    let cases: [(&str, &String, &Settings<'_>, &str); 3] = [
        ("wrong_login", sasl_ssl, &wrong_login, "Authentication failed"),
        ("wrong_authority", ssl, &wrong_authority, "certificate verify failed"),
        ("wrong_password", ssl, &wrong_password, "wrong password"),
    ];
    // Each waits until the brokers are given up.
    std::thread::scope(|scope| {
        for (name, bootstrap, properties, expected) in cases {
            scope.spawn(move || world.refused(name, bootstrap, properties, expected, &["wr0ng-secret", PASSWORD]));
        }
    });
}

fn registry(world: &World, authority: &Authority) {
    let Some(url) = address("HEADWATER_TEST_REGISTRY", "live_security: registry") else { return };
    let (target, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    // reg:s3cret-of-reg
    let proxy = HttpsProxy::start(&authority.certify("registry"), "Basic cmVnOnMzY3JldC1vZi1yZWc=", target);
    let url = format!("https://localhost:{}/{path}", proxy.port);
    let store = authority.path("trust.PKCS12");
    let settings = |password: &str| -> Vec<(String, String)> {
        let mut all = Vec::new();
        for converter in ["key.converter", "value.converter"] {
            let mut put = |name: &str, value: &str| all.push((format!("{converter}{name}"), value.to_owned()));
            put("", "io.confluent.connect.avro.AvroConverter");
            put(".schema.registry.url", &url);
            put(".basic.auth.credentials.source", "USER_INFO");
            put(".basic.auth.user.info", &format!("reg:{password}"));
            put(".schema.registry.ssl.truststore.location", &store);
            put(".schema.registry.ssl.truststore.password", PASSWORD);
        }
        all
    };
    let with = |connector: Connector, password: &str| {
        settings(password).iter().fold(connector, |connector, (name, value)| connector.with(&[(name, value)]))
    };
    let plain = world.secured.broker.address();
    let connector = with(world.connector("registry_tls", &plain, &Vec::new()), "s3cret-of-reg");
    world.flows("registry_tls", &connector, &["s3cret-of-reg", PASSWORD]);
    assert!(proxy.answered() >= 2, "key and value are registered through the proxy");
    let records = topic::read_all(&connector.broker, &connector.topic("registry_tls.t"));
    assert!(records.iter().all(|record| record.value.as_ref().unwrap()[0] == 0), "in the registry's framing");
    let connector = with(world.connector("registry_wrong", &plain, &Vec::new()), "wr0ng-secret");
    let mut running = connector.start_streaming();
    world.server.sql(&["INSERT INTO registry_wrong.t VALUES (1)"]);
    let trace = running.wait_for_failure(WITHIN);
    assert!(trace.contains("HW06") && trace.contains("401"), "{trace}");
    assert!(!running.log().contains("wr0ng-secret"), "a secret is in the log");
}

#[test]
fn secured_brokers_and_registries_are_reached_as_java_reaches_them() {
    let test = "live_security";
    if address("HEADWATER_TEST_KAFKA", test).is_none() || address("HEADWATER_TEST_MARIADB_118", test).is_none() {
        return;
    }
    let authority = Authority::new();
    let world = World { server: Server::start("mariadb-11.8", ""), secured: Secured::start(&authority) };
    brokers(&world, &authority);
    registry(&world, &authority);
}
