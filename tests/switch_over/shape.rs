//! A table that is altered all the time: each row must come with the columns that the table had when it was written.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::program::Connector;
use crate::support::server::Server;
use crate::support::topic;

/// `shop.shape`, and what each of its rows must be on the topic.
pub struct Shape {
    /// In the order of the table; all but `id` are of one type, so that only their values tell them apart.
    columns: Vec<String>,
    expected: BTreeMap<u64, String>,
    alterations: u64,
}

const TABLE: &str = "shop.shape";

impl Shape {
    /// Makes the table.
    pub fn create(server: &Server) -> Self {
        server.sql(&[&format!("CREATE TABLE {TABLE} (id INT PRIMARY KEY, first INT)")]);
        let columns = vec!["id".to_owned(), "first".to_owned()];
        Shape { columns, expected: BTreeMap::new(), alterations: 0 }
    }

    /// How often it was altered.
    pub fn alterations(&self) -> u64 {
        self.alterations
    }

    /// Alters the table: a column in front, another name, or one column for another. Each moves or renames what a reader
    /// that missed it would take for something else.
    /// Gives the new name.
    pub fn alter(&mut self, server: &Server) -> String {
        self.alterations += 1;
        let new = format!("c{}", self.alterations);
        let last = self.columns.iter().rposition(|column| column != "id").unwrap();
        let statement = match self.alterations % 3 {
            1 => {
                self.columns.insert(0, new.clone());
                format!("ADD COLUMN {new} INT FIRST")
            }
            2 => {
                let old = std::mem::replace(&mut self.columns[last], new.clone());
                format!("CHANGE COLUMN {old} {new} INT")
            }
            _ => {
                let old = self.columns.remove(last);
                let place = self.columns.iter().position(|column| column == "id").unwrap();
                self.columns.insert(place + 1, new.clone());
                format!("DROP COLUMN {old}, ADD COLUMN {new} INT AFTER id")
            }
        };
        server.sql(&[&format!("ALTER TABLE {TABLE} {statement}")]);
        new
    }

    /// Writes a row; gives its id.
    pub fn insert(&mut self, server: &Server) -> u64 {
        let id = self.expected.len() as u64 + 1;
        let value = |(place, column): (usize, &String)| if column == "id" { id } else { id * 100 + place as u64 };
        let values: Vec<u64> = self.columns.iter().enumerate().map(value).collect();
        let list = values.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        server.sql(&[&format!("INSERT INTO {TABLE} ({}) VALUES ({list})", self.columns.join(", "))]);
        let members = self.columns.iter().cloned().zip(values.into_iter().map(Value::from));
        self.expected.insert(id, Value::Object(members.collect()).to_string());
        id
    }

    /// Which rows are on the topic. Each must be as it was written.
    fn landed(&self, connector: &Connector) -> Vec<u64> {
        let mut landed = Vec::new();
        topic::read(&connector.broker, &connector.topic(TABLE), |record| {
            let value: Value = serde_json::from_slice(&record.value.unwrap()).unwrap();
            let id = value["after"]["id"].as_u64().unwrap_or_else(|| panic!("{TABLE}: no id in {value}"));
            assert_eq!(value["after"].to_string(), self.expected[&id], "{TABLE}: row {id} has other columns");
            landed.push(id);
        });
        landed
    }

    /// Waits for a row on the topic; `trouble` says why it will not come.
    pub fn wait_for(&self, connector: &Connector, id: u64, within: Duration, trouble: &dyn Fn() -> Option<String>) {
        let deadline = Instant::now() + within;
        while !self.landed(connector).contains(&id) {
            if let Some(said) = trouble() {
                panic!("row {id} of {TABLE} does not come: {said}");
            }
            assert!(Instant::now() < deadline, "row {id} of {TABLE} is not on the topic within {within:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Writes rows until one is on the topic: whoever captures the table reads its log from then on.
    pub fn wait_for_first(&mut self, server: &Server, connector: &Connector, trouble: &dyn Fn() -> Option<String>) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while self.landed(connector).is_empty() {
            if let Some(said) = trouble() {
                panic!("{TABLE} is not captured: {said}");
            }
            assert!(Instant::now() < deadline, "no row of {TABLE} is on the topic");
            self.insert(server);
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}
