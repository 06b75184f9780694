//! What the canary writes comes back, as far as its topic, or it is said that it does not, and which hop has lost it.

use std::time::Duration;

use headwater::source::binlog::connection::{ConnectOptions, Connection, Secret, SslMode};
use headwater::source::postgres::connection as postgres;
use serde_json::Value;

use super::support::broker::Broker;
use super::support::fault_proxy::FaultProxy;
use super::support::program::{Connector, Running};
use super::support::{address, eventually, free_port, topic, unique};
use super::{WITHIN, kill_askers, wait_for_verdict, world};

const BEAT: &str = "heartbeat.action.query";

/// Waits until so many more markers have come; gives what is said of them.
fn wait_for_returns(running: &Running, more: u64) -> Value {
    let returned = |flow: &Value| flow["canary"]["returned"].as_u64().unwrap_or_default();
    let before = returned(&running.connector_answer("flow"));
    eventually(&format!("markers come back\n{}", running.log_tail(30)), WITHIN, || {
        let flow = running.connector_answer("flow");
        (returned(&flow) >= before + more).then(|| flow["canary"].clone())
    })
}

fn check_returns(running: &Running) {
    let canary = wait_for_returns(running, 3);
    println!("  {canary}");
    assert_eq!(canary["failures"], 0, "{canary}");
    assert!(canary["round_trip_ms"].as_u64().is_some_and(|time| time < 60_000), "{canary}");
    running.wait_for_metric("headwater_canary_written_total", 3.0, WITHIN);
    running.wait_for_metric("headwater_canary_round_trip_seconds", 0.0, WITHIN);
    running.wait_for_metric("headwater_canary_returned_timestamp_seconds", 1.0, WITHIN);
    assert_eq!(running.connector_answer("flow")["incidents"], 0, "{}", running.log_tail(30));
}

/// Waits until what is written is read from its topic again.
fn wait_until_read_back(running: &Running) -> Value {
    let count = |flow: &Value| flow["canary"]["read_back"].as_u64().unwrap_or_default();
    let before = count(&running.connector_answer("flow"));
    let flow = eventually(&format!("markers are read back\n{}", running.log_tail(30)), WITHIN, || {
        Some(running.connector_answer("flow")).filter(|flow| count(flow) >= before + 2)
    });
    println!("  {}", flow["canary"]);
    assert!(flow["canary"]["end_to_end_ms"].as_u64().is_some_and(|time| time < 60_000), "{flow}");
    assert!(flow["canary"]["not_read_back"].is_null(), "{flow}");
    flow
}

/// How each incident of a marker that was lost stands. A broker that has just begun causes others.
fn losses(running: &Running) -> Vec<String> {
    let incidents = running.connector_answer("incidents");
    let lost = incidents.as_array().unwrap().iter().filter(|incident| incident["verdict"] == "canary_lost");
    lost.map(|incident| incident["state"].as_str().unwrap().to_owned()).collect()
}

/// A broker that consumers reach by a listener of their own, through a proxy, and where who may read a topic can be said.
fn broker_with_readers() -> (Broker, FaultProxy) {
    let (port, readers) = (free_port(), free_port());
    let proxy = FaultProxy::start(&format!("127.0.0.1:{readers}"));
    let (controller, seen) = (port + 1, proxy.port);
    let options = format!(
        "listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},READERS://127.0.0.1:{readers}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port},READERS://127.0.0.1:{seen}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,READERS:PLAINTEXT\n\
         authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n\
         allow.everyone.if.no.acl.found=true"
    );
    (Broker::start_with(port, &options), proxy)
}

/// Records are acknowledged, and whoever reads gets none: said, with the hop. A right to read that is taken away is no
/// incident: the acknowledgement is the proof again. The markers are rows of a signal table.
#[test]
fn a_topic_that_gives_nothing_back_is_named() {
    let Some(world) = world("canary: read back") else { return };
    let (broker, readers) = broker_with_readers();
    let database = unique("canary");
    let signals = format!("{database}.signals");
    let scene = world.scene_on(&database, &broker.address()).with(&[
        ("signal.data.collection", &signals),
        ("headwater.canary.signal.table", "true"),
        ("headwater.canary.interval.ms", "500"),
        ("headwater.canary.deadline.ms", "8000"),
        ("headwater.watchdog.restart.after.ms", "3600000"),
        ("consumer.override.bootstrap.servers", &format!("127.0.0.1:{}", readers.port)),
    ]);
    let table = format!(
        "CREATE TABLE {signals} (id VARCHAR(42) PRIMARY KEY, type VARCHAR(32) NOT NULL, data VARCHAR(2048) NULL)"
    );
    world.server.sql(&[&table]);
    world.server.root().query_drop(&format!("GRANT INSERT, DELETE, SELECT ON {signals} TO cdc")).unwrap();
    let running = scene.connector.start_streaming();
    wait_until_read_back(&running);
    let mut session = world.server.session();
    let rows = session.query(&format!("SELECT COUNT(*) AS n FROM {signals} WHERE type = 'headwater-canary'")).unwrap();
    assert!(rows.first("n").is_some_and(|count| count == "1" || count == "0"), "no more than the last one stays");
    assert_eq!(losses(&running), [""; 0], "{}", running.log_tail(30));

    readers.blackhole();
    let flow = wait_for_verdict(&running, "canary_lost");
    assert_eq!(flow["state"], "RESTARTING", "{flow}");
    assert!(flow["because"].as_str().unwrap().contains("is not read back from its topic"), "{flow}");
    readers.pass();
    running.wait_for_state("RUNNING", WITHIN);
    wait_until_read_back(&running);
    assert!(losses(&running).iter().all(|state| state == "over"), "{}", running.log_tail(30));

    let address = broker.address();
    let topic = scene.connector.topic(&signals);
    let acls =
        ["org.apache.kafka.tools.AclCommand", "--bootstrap-server", &address, "--add", "--topic", &topic, "--force"];
    let rights = |rights: &[&str]| broker.tool(&[&acls[..], rights].concat());
    rights(&["--allow-principal", "User:*", "--operation", "All"]);
    rights(&["--deny-principal", "User:*", "--operation", "Read"]);
    let flow = eventually(&format!("it is said\n{}", running.log_tail(30)), WITHIN, || {
        let flow = running.connector_answer("flow");
        flow["canary"]["not_read_back"].as_str().is_some_and(|why| why.contains("may not be read")).then_some(flow)
    });
    assert_eq!(flow["state"], "RUNNING", "{flow}");
    wait_for_returns(&running, 3);
    assert!(losses(&running).iter().all(|state| state == "over"), "{}", running.log_tail(30));
    // Once for the right, and where the machine is slow once for the topic that gave nothing.
    assert!((1..=3).contains(&running.log().matches("HW0912").count()), "{}", running.log_tail(60));
    assert!(running.terminate(Duration::from_secs(20)).success());
}

/// The address of the database leads to another server, and the old one keeps the stream: it is idle, says where its log
/// ends or nothing at all, and only what is written tells that it is the wrong one.
#[test]
fn what_is_written_to_another_server_is_missed() {
    let (Some(world), Some(other)) = (world("canary"), address("HEADWATER_TEST_MYSQL_97", "canary")) else { return };
    // Of the same name on both.
    let database = unique("canary");
    let query = format!("REPLACE INTO {database}.beats VALUES (1, UTC_TIMESTAMP(6))");
    let scene = world.scene(&database).with(&[
        ("heartbeat.interval.ms", "500"),
        (BEAT, &query),
        ("headwater.canary.deadline.ms", "3000"),
        ("headwater.watchdog.restart.after.ms", "3600000"),
    ]);
    let beats = format!("CREATE TABLE {database}.beats (id INT PRIMARY KEY, at DATETIME(6))");
    let grant = format!("GRANT INSERT, DELETE ON {database}.beats TO cdc");
    let mut elsewhere = root(&other);
    world.server.sql(&[&beats]);
    world.server.root().query_drop(&grant).unwrap();
    for statement in [&format!("CREATE DATABASE {database}"), &beats, &grant] {
        elsewhere.query_drop(statement).unwrap();
    }
    let running = scene.connector.start_streaming();
    check_returns(&running);
    wait_until_read_back(&running);
    running.wait_for_metric("headwater_canary_end_to_end_seconds", 0.0, WITHIN);
    // The table is captured: each marker is a record, too.
    let records = topic::read_all(&world.broker, &scene.connector.topic(&format!("{database}.beats")));
    assert!(records.len() >= 3, "{} records", records.len());
    scene.proxy.lead_to(&other);
    kill_askers(&world);
    let flow = wait_for_verdict(&running, "canary_lost");
    assert_eq!(flow["state"], "RESTARTING", "{flow}");
    assert!(running.state().1.contains("HW0955"), "{:?}", running.state());
    assert!(flow["because"].as_str().unwrap().contains("has not come with the stream"), "{flow}");
    scene.proxy.switch(&world.server.address());
    elsewhere.query_drop(&format!("DROP DATABASE {database}")).unwrap();
    running.wait_for_state("RUNNING", WITHIN);
    assert!(running.terminate(Duration::from_secs(20)).success());
}

fn root(server: &str) -> Connection {
    let (hostname, port) = server.split_once(':').unwrap();
    let mut options = ConnectOptions {
        hostname: hostname.to_owned(),
        port: port.parse().unwrap(),
        user: "root".to_owned(),
        password: Secret::new("rootpw"),
        connect_timeout: Duration::from_secs(20),
        query_timeout: Some(Duration::from_secs(60)),
        ..ConnectOptions::default()
    };
    options.ssl.mode = SslMode::Disabled;
    Connection::connect(&options, &std::sync::Arc::default()).unwrap()
}

fn sql(port: u16, database: &str, statements: &[&str]) {
    let options = postgres::ConnectOptions {
        host: "127.0.0.1".to_owned(),
        port,
        user: "app".to_owned(),
        password: Some(postgres::Secret::new("apppw")),
        database: database.to_owned(),
        ..postgres::ConnectOptions::default()
    };
    let purpose = postgres::Purpose::Sql;
    let mut session = postgres::Connection::connect(&options, purpose, &std::sync::Arc::default()).unwrap();
    statements.iter().for_each(|statement| session.query_drop(statement).unwrap());
}

/// PostgreSQL, with a table that is captured, with one that is not, and with no table at all.
#[test]
fn markers_come_back_from_postgres() {
    let test = "canary: postgres";
    let (Some(server), Some(broker)) =
        (address("HEADWATER_TEST_POSTGRES_17", test), address("HEADWATER_TEST_KAFKA", test))
    else {
        return;
    };
    let port = server.rsplit(':').next().unwrap().parse().unwrap();
    for (query, is_captured) in [
        ("INSERT INTO public.beats VALUES (1, now()) ON CONFLICT (id) DO UPDATE SET at = now()", true),
        ("INSERT INTO hidden.beats VALUES (1, now()) ON CONFLICT (id) DO UPDATE SET at = now()", false),
        ("SELECT pg_logical_emit_message(false, 'beat', now()::text)", false),
    ] {
        let database = unique("canary");
        sql(port, "postgres", &[&format!("CREATE DATABASE {database}")]);
        let table = |schema| format!("CREATE TABLE {schema}.beats (id INT PRIMARY KEY, at TIMESTAMPTZ)");
        sql(port, &database, &["CREATE SCHEMA hidden", &table("hidden"), &table("public")]);
        let connector = Connector::postgres(port, &broker, &database).with(&[
            ("heartbeat.interval.ms", "500"),
            (BEAT, query),
            ("message.prefix.exclude.list", "beat"),
        ]);
        let running = connector.start_streaming();
        println!("{query}");
        check_returns(&running);
        let records = topic::read_all(&broker, &connector.topic("public.beats"));
        assert_eq!(records.is_empty(), !is_captured, "{query}");
        if is_captured {
            wait_until_read_back(&running);
        } else {
            let canary = running.connector_answer("flow")["canary"].clone();
            assert!(
                canary["not_read_back"].as_str().is_some_and(|why| why.contains("may not be captured")),
                "{canary}"
            );
            running.wait_for_metric("headwater_canary_unread", 1.0, WITHIN);
        }
        assert!(running.terminate(Duration::from_secs(20)).success());
        sql(port, &database, &[&format!("SELECT pg_drop_replication_slot('{database}')")]);
        sql(port, "postgres", &[&format!("DROP DATABASE {database} WITH (FORCE)")]);
    }
}
