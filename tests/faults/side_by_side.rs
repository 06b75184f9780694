//! The same blackhole for Headwater and for Debezium on Kafka Connect: what each said at each second, and when it flowed again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::database::Database;
use crate::support::connect::Worker;
use crate::support::fault_proxy::FaultProxy;
use crate::support::{SetWhenDropped, address, eventually, number, topic, unique};
use crate::watch::Rest;
use crate::{HEALED_WITHIN, table};

/// How long both are watched at most.
const WATCHED: u64 = 300;

/// What one of them said and had brought, at a second.
#[derive(Clone, PartialEq, Eq)]
struct Second {
    state: String,
    records: i64,
}

struct Both<'b> {
    proxy: &'b FaultProxy,
    headwater: &'b dyn Fn() -> Second,
    debezium: &'b dyn Fn() -> Second,
}

/// A line for each time in which both said the same and none, one or both brought something.
fn timeline(seconds: &[(Second, Second)]) -> String {
    let flows = |at: usize, of: fn(&(Second, Second)) -> &Second| {
        at > 0 && of(&seconds[at]).records > of(&seconds[at - 1]).records
    };
    let line = |at: usize| {
        let cell = |of: fn(&(Second, Second)) -> &Second| {
            format!("{} | {}", of(&seconds[at]).state, if flows(at, of) { "rows come" } else { "**nothing**" })
        };
        format!("{} | {}", cell(|both| &both.0), cell(|both| &both.1))
    };
    let mut lines =
        String::from("| second | Headwater says | and brings | Debezium says | and brings |\n|---|---|---|---|---|\n");
    let mut from = 1;
    for at in 1..seconds.len() {
        if at + 1 == seconds.len() || line(at + 1) != line(at) {
            let range = if from == at { from.to_string() } else { format!("{from}–{at}") };
            lines.push_str(&format!("| {range} | {} |\n", line(at)));
            from = at + 1;
        }
    }
    lines
}

/// In a sentence: when it was noticed, when rows came again, for how long RUNNING was not true.
fn sentence(who: &str, seconds: &[Second], cleared: usize) -> String {
    let noticed = seconds.iter().position(|second| second.state != "RUNNING");
    let flows = |at: &usize| seconds[*at].records > seconds[*at - 1].records;
    let again = (cleared.max(2)..seconds.len()).find(flows);
    let lies = (1..seconds.len()).filter(|at| !flows(at) && seconds[*at].state == "RUNNING").count();
    let second = |at: Option<usize>| at.map_or("never".to_owned(), |at| format!("at second {at}"));
    format!(
        "- {who}: the status was something else than RUNNING for the first time: {}; rows came again: {}; seconds in which \
         it said RUNNING and brought nothing: {lies}\n",
        second(noticed),
        second(again)
    )
}

/// Watches both from the fault's beginning until rows have come for five seconds from both.
fn watch(both: &Both<'_>, hole: u64, ends: impl Fn(&FaultProxy)) -> (Vec<(Second, Second)>, usize) {
    let (mut seconds, began, mut cleared) = (Vec::new(), Instant::now(), None);
    if hole > 0 {
        both.proxy.blackhole();
    }
    for second in 0..WATCHED {
        if second == hole {
            ends(both.proxy);
            cleared = Some(seconds.len());
        }
        seconds.push(((both.headwater)(), (both.debezium)()));
        let wait = (began + Duration::from_secs(second + 1)).saturating_duration_since(Instant::now());
        std::thread::sleep(wait);
        let last = &seconds[seconds.len().saturating_sub(6)..];
        let flow =
            last.windows(2).all(|two| two[1].0.records > two[0].0.records && two[1].1.records > two[0].1.records);
        if cleared.is_some_and(|cleared| seconds.len() > cleared + 10) && flow {
            break;
        }
    }
    (seconds, cleared.unwrap_or_default())
}

#[test]
fn side_by_side_with_debezium() {
    let hole = number("HEADWATER_FAULTS_BLACKHOLE_SECONDS", 0);
    let test = "side by side with Debezium";
    let Some(broker) = address("HEADWATER_TEST_KAFKA", test) else { return };
    // A measurement of minutes: made where it is asked for.
    if hole == 0 || address("HEADWATER_TEST_MYSQL_97", test).is_none() {
        return;
    }
    let _alone = crate::scene::lock(&crate::ONE_AFTER_THE_OTHER);
    let worker = Worker::start(&broker).unwrap();
    let (database, schema, name) = (Database::start("mysql-9.7"), unique("beside"), unique("debezium"));
    database.create(&schema);
    let proxy = FaultProxy::start(&format!("127.0.0.1:{}", database.port()));
    let mut connector = database.connector(&broker, &schema).with(&[("database.port", &proxy.port.to_string())]);
    connector.use_default_deadlines();
    let mut settings = connector.config.clone();
    settings.extend([
        ("topic.prefix".to_owned(), name.clone()),
        ("database.server.id".to_owned(), fastrand::u32(100_000..2_000_000_000).to_string()),
        ("schema.history.internal.kafka.topic".to_owned(), format!("{name}.history")),
    ]);
    let running = connector.start_streaming();
    worker.connect.start(&name, &settings).unwrap();
    let rest = Rest::of(&connector);
    let records = |prefix: &str| topic::ends(&broker, &format!("{prefix}.{schema}.t")).iter().sum::<i64>();
    let headwater = || Second { state: rest.word().state, records: records(&connector.name) };
    let debezium = || Second { state: worker.connect.state(&name).0, records: records(&name) };
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (database, schema, stop) = (&database, &schema, &stop);
        let _guard = SetWhenDropped(stop);
        scope.spawn(move || {
            let (mut session, mut version) = (database.session(schema).unwrap(), 0);
            while !stop.load(Ordering::Relaxed) {
                version += 1;
                session.run(&database.put(version % 100, version)).unwrap();
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        eventually(&format!("both flow\n{}\n{}", running.log_tail(20), worker.log_tail(20)), HEALED_WITHIN, || {
            (headwater().records > 20 && debezium().records > 20).then_some(())
        });
        let both = Both { proxy: &proxy, headwater: &headwater, debezium: &debezium };
        let mut text = String::from(
            "MySQL 9.7, ten rows a second, one proxy before the server for both, each with its defaults. Debezium 3.6.1 on Kafka \
             Connect 4.3.1: `connect.keep.alive=true`, `connect.keep.alive.interval.ms=60000`, `connect.timeout.ms=30000`; \
             Headwater: `headwater.heartbeat.period.ms=1000`, `headwater.silence.heartbeats=3`, `connect.timeout.ms=30000`.\n\n",
        );
        let mut play = |title: &str, hole: u64, ends: &dyn Fn(&FaultProxy)| {
            let (seconds, cleared) = watch(&both, hole, ends);
            let of = |which: fn(&(Second, Second)) -> &Second| seconds.iter().map(which).cloned().collect::<Vec<_>>();
            text.push_str(&format!(
                "**{title}**\n\n{}{}\n{}\n",
                sentence("Headwater", &of(|both| &both.0), cleared),
                sentence("Debezium", &of(|both| &both.1), cleared),
                timeline(&seconds)
            ));
        };
        play("Connections that exist are silent for ever, new ones work", 0, &FaultProxy::freeze);
        play(
            &format!("Nothing passes for {hole} seconds while TCP lives, then connections that exist stay dead"),
            hole,
            &FaultProxy::freeze,
        );
        play(
            &format!("Nothing passes for {hole} seconds while TCP lives, then everything goes on"),
            hole,
            &FaultProxy::pass,
        );
        table::write("Side by side with Debezium", &text);
    });
    worker.connect.remove(&name);
    assert!(running.terminate(HEALED_WITHIN).success());
}
