//! What people's scripts, cron jobs and runbooks do, call by call.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use serde_json::{Value, json};

use crate::SOON;
use crate::process::{Place, Process};
use crate::standby::Table;
use crate::support::server::Server;
use crate::support::{address, eventually};

fn delete_topics(kafka: &str, topics: &[String]) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", kafka);
    let client: AdminClient<DefaultClientContext> = config.create().unwrap();
    let names: Vec<&str> = topics.iter().map(String::as_str).collect();
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
    for result in futures_executor::block_on(client.delete_topics(&names, &options)).unwrap() {
        result.unwrap();
    }
}

fn start(what: &str) -> Option<(Server, Process)> {
    let kafka = address("HEADWATER_TEST_KAFKA", what)?;
    let server = Server::start("mysql-9.7", "");
    let process = Process::start(&Place::at(&server, &kafka), "rest_scripts", &[]);
    Some((server, process))
}

/// What a script does that is refused for a moment: it asks again.
fn put_until(process: &Process, expected: u16) {
    eventually(&format!("registered\n{}", process.log_tail()), SOON, || {
        let (code, answer) = process.put_config(&process.name, &process.config());
        assert!([expected, 409, 503].contains(&code), "{code}: {answer}");
        (code == expected).then_some(())
    });
}

/// The topic of configurations is deleted under a worker that runs: what runs is wanted, and is written again. Then the
/// runbook's last resort: the connector, then all topics of the worker are deleted, it is started again, and the connector is
/// registered again.
#[test]
fn topics_of_the_worker_that_are_deleted_under_it_come_back() {
    let Some((server, mut process)) = start("topics that are deleted under a worker") else { return };
    let (name, table) = (process.name.clone(), Table::new(&server, &process));
    put_until(&process, 201);
    process.wait_for(&name, "RUNNING", SOON);
    table.write();
    table.arrive(|| process.log_tail());
    delete_topics(&process.kafka, &[format!("{name}.configs")]);
    eventually("what runs is written again", SOON, || (process.log_count("written again") > 0).then_some(()));
    process.wait_for(&name, "RUNNING", SOON);
    table.write();
    table.arrive(|| process.log_tail());
    process.kill_and_start();
    assert_eq!(process.ask("GET", "/connectors", None), (200, json!([name])));
    process.wait_for(&name, "RUNNING", SOON);

    assert_eq!(process.ask("PUT", &format!("/connectors/{name}/stop"), None).0, 204);
    process.wait_for(&name, "STOPPED", SOON);
    assert_eq!(process.ask("DELETE", &format!("/connectors/{name}"), None).0, 204);
    process.kill();
    delete_topics(&process.kafka, &[format!("{name}.configs"), format!("{name}.offsets")]);
    process.start_again();
    put_until(&process, 201);
    process.wait_for(&name, "RUNNING", SOON);
    table.write();
    table.arrive(|| process.log_tail());
}

/// The cron job that restarts what has failed, as it is written: states from `expand`, one restart for each failed task.
fn cron(process: &Process) -> usize {
    let (code, all) = process.ask("GET", "/connectors?expand=info&expand=status", None);
    assert_eq!(code, 200, "{all}");
    let mut restarted = 0;
    for value in all.as_object().unwrap().values() {
        assert_eq!(value["info"]["type"], "source");
        assert!(value["info"]["config"]["connector.class"].is_string());
        let name = value["status"]["name"].as_str().unwrap();
        for task in value["status"]["tasks"].as_array().unwrap().iter().filter(|task| task["state"] == "FAILED") {
            let path = format!("/connectors/{name}/tasks/{}/restart", task["id"].as_u64().unwrap());
            assert_eq!(process.ask("POST", &path, None).0, 204);
            restarted += 1;
        }
    }
    restarted
}

#[test]
fn the_cron_job_restarts_what_has_failed_until_it_is_mended() {
    let Some((server, process)) = start("a cron job") else { return };
    let (name, table) = (process.name.clone(), Table::new(&server, &process));
    server.root().query_drop("ALTER USER cdc ACCOUNT LOCK").unwrap();
    let body = json!({ "name": name, "config": process.config() }).to_string();
    assert_eq!(process.ask("POST", "/connectors", Some(&body)).0, 201);
    for _ in 0..3 {
        process.wait_for(&name, "FAILED", SOON);
        assert_eq!(cron(&process), 1);
    }
    process.wait_for(&name, "FAILED", SOON);
    server.root().query_drop("ALTER USER cdc ACCOUNT UNLOCK").unwrap();
    assert_eq!(cron(&process), 1);
    process.wait_for(&name, "RUNNING", SOON);
    assert_eq!(cron(&process), 0);
    table.write();
    table.arrive(|| process.log_tail());
    // Healed from outside, as managed clusters are: deleted, and at once made again from a stored file. Rows that came in
    // between come, too.
    for _ in 0..2 {
        assert_eq!(process.ask("DELETE", &format!("/connectors/{name}"), None).0, 204);
        table.write();
        assert_eq!(process.ask("POST", "/connectors", Some(&body)).0, 201);
    }
    process.wait_for(&name, "RUNNING", SOON);
    table.arrive(|| process.log_tail());
}

/// Terraform's provider and Kafka UIs: what they send, and what they read of the answers.
#[test]
fn tools_read_what_they_know() {
    let Some((_server, process)) = start("tools") else { return };
    let name = process.name.clone();
    let get = |path: &str| -> Value {
        let (code, answer) = process.ask("GET", path, None);
        assert_eq!(code, 200, "{path}: {answer}");
        answer
    };
    // Terraform: made by POST, read by name, changed by PUT, waited for by status, deleted, and gone.
    let body = json!({ "name": name, "config": process.config() }).to_string();
    let (code, made) = process.ask("POST", "/connectors/", Some(&body));
    assert_eq!((code, &made["name"]), (201, &json!(name)));
    assert_eq!(get(&format!("/connectors/{name}/"))["config"]["connector.class"], process.config()["connector.class"]);
    let mut changed = process.config();
    changed["tombstones.on.delete"] = json!("false");
    assert_eq!(process.put_config(&name, &changed).0, 200);
    process.wait_for(&name, "RUNNING", SOON);
    // A Kafka UI: what there is, validation of a form, restarts with parameters.
    assert!(get("/")["kafka_cluster_id"].is_string());
    let plugins = get("/connector-plugins");
    assert!(plugins.as_array().unwrap().iter().all(|plugin| plugin["type"] == "source" && plugin["class"].is_string()));
    let class = changed["connector.class"].as_str().unwrap().to_owned();
    changed["name"] = json!(name);
    let (code, judged) =
        process.ask("PUT", &format!("/connector-plugins/{class}/config/validate"), Some(&changed.to_string()));
    assert_eq!((code, &judged["error_count"]), (200, &json!(0)), "{judged}");
    assert_eq!(get(&format!("/connectors/{name}/tasks"))[0]["id"], json!({ "connector": name, "task": 0 }));
    assert_eq!(get(&format!("/connectors/{name}/tasks/0/status"))["state"], "RUNNING");
    assert!(get(&format!("/connectors/{name}/topics"))[&name]["topics"].is_array());
    for parameters in ["includeTasks=true&onlyFailed=true", "includeTasks=true&onlyFailed=false"] {
        let path = format!("/connectors/{name}/restart?{parameters}");
        assert_eq!(process.ask("POST", &path, None).0, 202, "{path}");
    }
    process.wait_for(&name, "RUNNING", SOON);
    assert_eq!(process.ask("DELETE", &format!("/connectors/{name}"), None).0, 204);
    assert_eq!(process.ask("GET", &format!("/connectors/{name}"), None).0, 404);
}
