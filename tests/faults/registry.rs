//! A schema registry of the campaign's own, reached through a proxy.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use apache_avro::types::Value;

use crate::support::fault_proxy::FaultProxy;
use crate::support::{free_port, scratch, stack_script, try_stack_script};

/// Where a registry has Confluent's API.
const API: &str = "/apis/ccompat/v7";

pub struct Registry {
    port: u16,
    pub proxy: FaultProxy,
    schemas: AtomicU64,
    known: Mutex<HashMap<u32, apache_avro::Schema>>,
    folder: tempfile::TempDir,
}

/// A member of a record, without the union around it.
fn member<'v>(record: &'v Value, name: &str) -> &'v Value {
    let Value::Record(fields) = record else { panic!("{record:?} is no record") };
    let (_, value) = fields.iter().find(|(known, _)| known == name).unwrap();
    if let Value::Union(_, value) = value { value } else { value }
}

fn number(record: &Value, name: &str) -> u64 {
    let Value::Long(number) = member(record, name) else { panic!("{name} of {record:?}") };
    u64::try_from(*number).unwrap()
}

impl Registry {
    pub fn start() -> Self {
        let port = free_port();
        let proxy = FaultProxy::start(&format!("127.0.0.1:{port}"));
        let registry =
            Registry { port, proxy, schemas: AtomicU64::new(0), known: Mutex::default(), folder: scratch("registry-") };
        stack_script("registry.sh", &["start"], &registry.environment());
        registry
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let folder = self.folder.path().join("registry").display().to_string();
        vec![("REGISTRY_PORT", self.port.to_string()), ("REGISTRY_DATA", folder)]
    }

    /// The settings of a connector whose values are Avro.
    pub fn converter(&self) -> [(&'static str, &'static str); 2] {
        // A scene is opened once for each registry, and lasts as long as the campaign.
        let url = format!("http://127.0.0.1:{}{API}", self.proxy.port).leak();
        [("value.converter", "io.confluent.connect.avro.AvroConverter"), ("value.converter.schema.registry.url", url)]
    }

    /// A statement after which the captured table's records have a schema that nobody has seen.
    pub fn next_schema(&self) -> String {
        match self.schemas.fetch_add(1, Ordering::Relaxed) {
            0 => "ALTER TABLE t ADD COLUMN extra_1 INT NULL".to_owned(),
            last => format!("ALTER TABLE t CHANGE COLUMN extra_{last} extra_{} INT NULL", last + 1),
        }
    }

    /// The row and its version in a record.
    pub fn read(&self, bytes: &[u8]) -> (u64, u64) {
        let id = u32::from_be_bytes(bytes[1..5].try_into().unwrap());
        let mut known = self.known.lock().unwrap();
        let schema = known.entry(id).or_insert_with(|| {
            let url = format!("http://127.0.0.1:{}{API}/schemas/ids/{id}", self.port);
            let text = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
            let body: serde_json::Value = serde_json::from_str(&text).unwrap();
            apache_avro::Schema::parse_str(body["schema"].as_str().unwrap()).unwrap()
        });
        let reader = apache_avro::reader::datum::GenericDatumReader::builder(schema).build().unwrap();
        let value = reader.read_value(&mut &bytes[5..]).unwrap();
        let after = member(&value, "after");
        (number(after, "id"), number(after, "version"))
    }

    /// SIGSTOP.
    pub fn freeze(&self) {
        stack_script("registry.sh", &["pause"], &self.environment());
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        stack_script("registry.sh", &["resume"], &self.environment());
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        for command in ["kill", "wipe"] {
            let _ = try_stack_script("registry.sh", &[command], &self.environment());
        }
    }
}
