//! How fast the whole is on PostgreSQL: the release binary, between a real server and a real broker.
//!
//! In: the servers of `make bench` (`HEADWATER_BENCH_*`; without them this says so and ends). Out: a table on standard output, as
//! that of `whole`: connectors store where they begin and are stopped, a backlog of a million rows of twelve columns is written, and
//! each connector catches up alone, as JSON without schemas and as Avro. Beside it `pg_recvlogical -f /dev/null` on the same
//! publication and backlog: what the server can send, which nothing that reads it can exceed. Target: 0.95 of its rate.
//! Last a backlog that is one transaction, held by the server and held here.
//!
//! `HEADWATER_BENCH_ROWS` (1000000), `HEADWATER_BENCH_TRANSACTION` rows a transaction (1000).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm
)]

#[path = "measure/mod.rs"]
mod measure;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use measure::{Connector, Runner, children_cpu_seconds, number, report, variable, wait_for_quiet};

const TABLES: &str = "CREATE TYPE state AS ENUM ('new', 'paid', 'sent');
CREATE TABLE orders (
  id bigint PRIMARY KEY, customer int NOT NULL, product varchar(40) NOT NULL, quantity smallint NOT NULL,
  price numeric(10,2) NOT NULL, discount double precision, paid boolean NOT NULL, state state NOT NULL,
  note varchar(120), ordered date NOT NULL, created timestamp(6) NOT NULL, changed timestamptz(3) NOT NULL);
CREATE TABLE large (LIKE orders INCLUDING ALL);";

struct Bench {
    server: String,
    port: String,
    programs: PathBuf,
    runner: Runner,
}

fn main() {
    let (Some(postgres), Some(programs), Some(runner)) =
        (variable("POSTGRES"), variable("POSTGRES_PROGRAMS"), Runner::new("postgres"))
    else {
        println!("postgres_whole: not run, it needs the servers that `make bench` starts");
        return;
    };
    let (server, port) = postgres.split_once(':').expect("HEADWATER_BENCH_POSTGRES is host:port");
    let bench = Bench { server: server.into(), port: port.into(), programs: programs.into(), runner };
    let rows = number("ROWS", 1_000_000);
    bench.sql("postgres", "CREATE DATABASE bench");
    bench.sql("bench", TABLES);
    bench.catch_up("orders", rows, number("TRANSACTION", 1_000), &[("json", false, false), ("avro", true, false)]);
    bench.catch_up("large", rows, rows, &[("large_server", true, false), ("large_here", true, true)]);
}

impl Bench {
    /// Connectors (name, Avro or JSON, transactions held here) and the server's own client on one backlog.
    fn catch_up(&self, table: &str, rows: u64, transaction: u64, connectors: &[(&str, bool, bool)]) {
        let publication = format!("bench_{table}");
        self.sql("bench", &format!("CREATE PUBLICATION {publication} FOR TABLE {table}"));
        let connectors: Vec<Connector> = connectors.iter().map(|connector| self.connector(*connector, table)).collect();
        for connector in &connectors {
            self.runner.start(connector).stop();
        }
        let raw = format!("raw_{table}");
        self.sql("bench", &format!("SELECT pg_create_logical_replication_slot('{raw}', 'pgoutput')"));
        let begun = Instant::now();
        self.backlog(table, rows, transaction);
        println!(
            "PostgreSQL backlog: {rows} rows in transactions of {transaction}, written in {:.1} s",
            begun.elapsed().as_secs_f64()
        );
        println!("{:<22} {:>8} {:>12} {:>16} {:>10}", "", "seconds", "rows/s", "CPU s/1M rows", "peak MB");
        let limit = self.receive(&raw, &publication, rows);
        for connector in &connectors {
            let rate = self.runner.catch_up(connector, &format!("{}.public.{table}", connector.name), rows);
            println!("{:<22} {:.2} of pg_recvlogical", "", rate / limit);
        }
    }

    /// What the server sends to its own client, which throws it away; gives rows per second.
    fn receive(&self, slot: &str, publication: &str, rows: u64) -> f64 {
        let end = self.sql("bench", "SELECT pg_current_wal_lsn()");
        wait_for_quiet();
        let (begun, before) = (Instant::now(), children_cpu_seconds());
        let status = self
            .client("pg_recvlogical", "bench")
            .args(["--start", "--no-loop", "-f", "/dev/null", "--slot", slot, "--endpos", end.trim()])
            .args(["-o", "proto_version=1", "-o", &format!("publication_names={publication}")])
            .status()
            .unwrap();
        assert!(status.success(), "pg_recvlogical: {status}");
        let seconds = begun.elapsed().as_secs_f64();
        report("pg_recvlogical", rows, seconds, children_cpu_seconds() - before, None);
        rows as f64 / seconds
    }

    /// Rows that are alike in shape and different in every column.
    fn backlog(&self, table: &str, rows: u64, transaction: u64) {
        self.sql(
            "bench",
            &format!(
                "DO $$ BEGIN FOR chunk IN 0..{} BY {transaction} LOOP
                 INSERT INTO {table} SELECT i, i % 50000, 'product number ' || i % 997, 1 + i % 9, (i % 100000) / 100.0,
                 CASE WHEN i % 5 = 0 THEN NULL ELSE (i % 30) / 100.0 END, i % 2 = 0, (ARRAY['new','paid','sent'])[1 + i % 3]::state,
                 CASE WHEN i % 4 = 0 THEN NULL ELSE 'please leave it with the neighbours if nobody answers, order ' || i END,
                 DATE '2026-01-01' + (i % 300)::int, TIMESTAMP '2026-01-01 00:00:00.000001' + i * INTERVAL '1 microsecond',
                 TIMESTAMPTZ '2026-06-01 00:00:00Z' + i % 86400 * INTERVAL '1 second'
                 FROM generate_series(chunk, least(chunk + {transaction}, {rows}) - 1) i; COMMIT; END LOOP; END $$",
                rows - 1
            ),
        );
    }

    fn connector(&self, (name, avro, streaming): (&str, bool, bool), table: &str) -> Connector {
        let settings = format!(
            "\"connector.class\":\"io.debezium.connector.postgresql.PostgresConnector\",\"plugin.name\":\"pgoutput\",
             \"database.hostname\":\"{}\",\"database.port\":\"{}\",\"database.user\":\"app\",\"database.password\":\"apppw\",
             \"database.dbname\":\"bench\",\"slot.name\":\"{name}\",\"publication.name\":\"bench_{table}\",
             \"publication.autocreate.mode\":\"disabled\",\"table.include.list\":\"public.{table}\",
             \"headwater.transaction.streaming\":\"{streaming}\"",
            self.server, self.port
        );
        self.runner.connector(name, avro, &settings, None)
    }

    fn client(&self, program: &str, database: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.env("PGPASSWORD", "apppw").args(["-h", &self.server, "-p", &self.port, "-U", "app", "-d", database]);
        command
    }

    fn sql(&self, database: &str, text: &str) -> String {
        let mut client = self.client("psql", database);
        client.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = client.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "psql: {}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }
}
