//! Connectors of one process: what hangs under one is not noticed by another, and not by who asks.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::SOON;
use crate::process::{Place, Process};
use crate::standby::Table;
use crate::support::address;
use crate::support::fault_proxy::FaultProxy;
use crate::support::server::Server;

/// Beyond what a busy machine takes for an answer, and below what any of the hanging ones is waited for.
const AT_ONCE: Duration = Duration::from_secs(10);

/// Asks, and holds that the answer does not wait for anything.
fn ask(process: &Process, method: &str, path: &str) -> (u16, serde_json::Value) {
    let begun = Instant::now();
    let answer = process.ask(method, path, None);
    assert!(begun.elapsed() < AT_ONCE, "{method} {path} took {:?}: {answer:?}", begun.elapsed());
    answer
}

/// One whose database hangs, one whose registry hangs, one that is well: rows and answers of the last one go on.
#[test]
fn connectors_share_nothing_that_hangs() {
    let Some(kafka) = address("HEADWATER_TEST_KAFKA", "connectors beside others that hang") else { return };
    let server = Server::start("mysql-9.7", "");
    let process = Process::start(&Place::at(&server, &kafka), "rest_hang", &[]);
    let table = Table::new(&server, &process);
    let (database, registry) = (FaultProxy::start(&server.address()), FaultProxy::start(&server.address()));
    registry.blackhole();
    let (well, hung, unregistered) =
        (process.name.clone(), format!("{}_database", process.name), format!("{}_registry", process.name));
    let config = |name: &str, number: u32, more: &[(&str, String)]| {
        let mut config = process.config();
        config["topic.prefix"] = json!(name);
        config["database.server.id"] = json!((process.server_id + number).to_string());
        config["schema.history.internal.kafka.topic"] = json!(format!("{name}.history"));
        for (property, value) in more {
            config[*property] = json!(value);
        }
        config
    };
    let of_registry = [
        ("value.converter", "io.confluent.connect.avro.AvroConverter".to_owned()),
        ("value.converter.schema.registry.url", format!("http://127.0.0.1:{}", registry.port)),
    ];
    assert_eq!(process.put_config(&well, &config(&well, 0, &[])).0, 201);
    assert_eq!(process.put_config(&hung, &config(&hung, 1, &[("database.port", database.port.to_string())])).0, 201);
    assert_eq!(process.put_config(&unregistered, &config(&unregistered, 2, &of_registry)).0, 201);
    for name in [&well, &hung] {
        process.wait_for(name, "RUNNING", SOON);
    }
    database.blackhole();
    table.write();
    for name in [&hung, &unregistered] {
        process.wait_for(name, "RESTARTING", SOON);
    }
    for _ in 0..5 {
        table.write();
        table.arrive(|| process.log_tail());
        for path in ["/connectors?expand=status&expand=info", "/health/live", "/metrics"] {
            assert_eq!(ask(&process, "GET", path).0, 200, "{path}");
        }
        for name in [&well, &hung, &unregistered] {
            assert_eq!(ask(&process, "GET", &format!("/connectors/{name}/flow")).0, 200);
        }
        process.wait_for(&well, "RUNNING", SOON);
    }
    // Changing them does not wait for them either.
    for (change, code) in [("PUT", 202), ("DELETE", 204)] {
        for name in [&hung, &unregistered] {
            let path =
                if change == "PUT" { format!("/connectors/{name}/pause") } else { format!("/connectors/{name}") };
            assert_eq!(ask(&process, change, &path).0, code);
        }
    }
    assert_eq!(ask(&process, "GET", "/connectors").1, json!([well]));
    table.write();
    table.arrive(|| process.log_tail());
}
