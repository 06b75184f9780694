//! MySQL and MariaDB: a transaction is sent before its engine commits; and row images that are not whole.

use headwater::source::binlog::connection::Flavor;
use serde_json::Value;

use crate::support::postgres::LONG;
use crate::support::program::{Connector, Running};
use crate::support::server::Server;
use crate::support::{address, topic, unique};
use crate::{AGAIN, eventually};

/// A server with a database, and a connector that captures it and reads again.
struct Scene {
    server: Server,
    database: String,
    connector: Connector,
}

impl Scene {
    /// `None` where the stack has no such server.
    fn new(test: &str, name: &str, variable: &str, options: &str, tables: &[&str]) -> Option<Scene> {
        let broker = address("HEADWATER_TEST_KAFKA", test)?;
        address(variable, test)?;
        let server = Server::start(name, options);
        let database = unique("again");
        server.sql(&[&format!("CREATE DATABASE {database}")]);
        let scene = Scene { connector: Connector::new(&server, &broker, &database).with(&AGAIN), server, database };
        tables.iter().for_each(|table| scene.run(&[table]));
        Some(scene)
    }

    /// Statements in one session, in the database.
    fn run(&self, statements: &[&str]) {
        let uses = format!("USE {}", self.database);
        self.server.sql(&[&[uses.as_str()], statements].concat());
    }

    /// Waits until a table's topic has so many records, and gives the operation and the row of each.
    fn wait_for(&self, running: &Running, table: &str, count: usize) -> Vec<(String, Value)> {
        let topic = self.connector.topic(&format!("{}.{table}", self.database));
        eventually(&format!("{count} records\n{}", running.log_tail(30)), LONG, || {
            let mut landed = Vec::new();
            topic::read(&self.connector.broker, &topic, |record| {
                if let Some(value) = record.value {
                    let value: Value = serde_json::from_slice(&value).unwrap();
                    landed.push((value["op"].as_str().unwrap().to_owned(), value["after"].clone()));
                }
            });
            (landed.len() >= count).then_some(landed)
        })
    }

    /// Commits a row whose text is null, and then is not, while commits wait for a replica that is not there; `meanwhile`
    /// runs when the commit waits, and afterwards it waits no more.
    fn committed_late(&self, id: i32, meanwhile: impl FnOnce()) {
        let (replicas, waiting) = match self.server.flavor {
            Flavor::MySql => ("rpl_semi_sync_source_enabled", "Rpl_semi_sync_source_wait_sessions"),
            Flavor::MariaDb => ("rpl_semi_sync_master_enabled", "Rpl_semi_sync_master_wait_sessions"),
        };
        self.server.sql(&[&format!("SET GLOBAL {replicas} = ON")]);
        std::thread::scope(|scope| {
            let insert = format!("INSERT INTO t VALUES ({id}, NULL)");
            let update = format!("UPDATE t SET text = 'set later' WHERE id = {id}");
            let writer = scope.spawn(move || self.run(&["BEGIN", &insert, &update, "COMMIT"]));
            eventually("the commit waits", LONG, || {
                let answer = self.server.session().query(&format!("SHOW GLOBAL STATUS LIKE '{waiting}'")).unwrap();
                answer.first("Value").filter(|sessions| sessions != "0")
            });
            eventually("the commit is sent", LONG, || {
                let dumps = "SELECT 1 FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%' \
                             AND STATE LIKE '%has sent all binlog%'";
                (self.server.ask(dumps) == "1").then_some(())
            });
            meanwhile();
            self.server.sql(&[&format!("SET GLOBAL {replicas} = OFF")]);
            writer.join().unwrap();
        });
    }
}

/// As long as the test takes.
const PATIENT: &str = "1000000";

fn late(test: &str, name: &str, variable: &str, options: &str) {
    let table = "CREATE TABLE t (id INT PRIMARY KEY, text TEXT)";
    let Some(scene) = Scene::new(test, name, variable, options, &[table]) else { return };
    let running = scene.connector.start_streaming();
    // Nobody sees it within the limit: the row goes out as it came, and the log says why.
    scene.committed_late(1, || running.wait_for_log("HW0471", LONG));
    // One that is seen at once, so that the next is waited for as long as any.
    scene.run(&["INSERT INTO t VALUES (3, NULL)", "UPDATE t SET text = 'at once' WHERE id = 3"]);
    scene.wait_for(&running, "t", 4);
    // It is seen a little later than it is sent.
    scene.committed_late(2, || {});
    let landed = scene.wait_for(&running, "t", 6);
    let texts: Vec<_> =
        landed.iter().filter(|(_, row)| row["id"] != 3).map(|(op, row)| (op.as_str(), row["text"].as_str())).collect();
    let later = Some("set later");
    assert_eq!(texts, [("c", None), ("u", later), ("c", later), ("u", later)], "{}", running.log_tail(30));
    assert!(!running.log().contains("HW0906"), "{}", running.log_tail(30));
}

#[test]
fn mysql_rows_are_not_read_again_before_their_transaction_is_visible() {
    let test = "mysql_rows_are_not_read_again_before_their_transaction_is_visible";
    let options = format!(
        "--plugin-load=semisync_source.so --loose-rpl-semi-sync-source-timeout={PATIENT} \
         --loose-rpl-semi-sync-source-wait-no-replica=ON"
    );
    late(test, "mysql-9.7", "HEADWATER_TEST_MYSQL_97", &options);
}

#[test]
fn mariadb_rows_are_not_read_again_before_their_transaction_is_visible() {
    let test = "mariadb_rows_are_not_read_again_before_their_transaction_is_visible";
    let options = format!("--rpl-semi-sync-master-timeout={PATIENT} --rpl-semi-sync-master-wait-point=AFTER_SYNC");
    late(test, "mariadb-11.8", "HEADWATER_TEST_MARIADB_118", &options);
}

/// What a row image has not is read again, on each server, by keys of several types; and each type that a connector reads.
fn left_out(test: &str, name: &str, variable: &str) {
    let tables = [
        "CREATE TABLE t (id INT, code VARCHAR(20) CHARACTER SET latin1, n INT, t TEXT, b BLOB, j JSON, PRIMARY KEY (code, id))",
    ];
    let Some(scene) = Scene::new(test, name, variable, "", &tables) else { return };
    let running = scene.connector.start_streaming();
    scene.run(&[
        "SET SESSION binlog_row_image = 'NOBLOB'",
        "INSERT INTO t VALUES (1, 'é''s', 1, 'text', 'blob', '{\"a\": 1}')",
        "UPDATE t SET n = 2",
    ]);
    let landed = scene.wait_for(&running, "t", 2);
    let row = |n: i32, json: &str| serde_json::json!({"id": 1, "code": "é's", "n": n, "t": "text", "b": "YmxvYg==", "j": json});
    let json = if name.starts_with("mysql") { "{\"a\":1}" } else { "{\"a\": 1}" };
    assert_eq!(landed, [("c".to_owned(), row(1, json)), ("u".to_owned(), row(2, json))], "{}", running.log_tail(30));
}

#[test]
fn mysql_columns_that_an_image_leaves_out_are_read_again() {
    left_out("mysql_columns_that_an_image_leaves_out_are_read_again", "mysql-8.0", "HEADWATER_TEST_MYSQL_80");
}

#[test]
fn mariadb_columns_that_an_image_leaves_out_are_read_again() {
    left_out("mariadb_columns_that_an_image_leaves_out_are_read_again", "mariadb-10.11", "HEADWATER_TEST_MARIADB_1011");
}
