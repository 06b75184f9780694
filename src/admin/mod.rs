//! HTTP: health, metrics, and the part of Kafka Connect's REST API that says how connectors are.

use crate::config::worker::WorkerConfig;
use crate::error::Failure;
use crate::worker::Handle;

/// A server that runs until it is dropped.
pub struct Server;

/// Starts the server on the worker's listeners.
///
/// # Errors
/// When a listener's address cannot be used.
pub fn start(_worker_config: &WorkerConfig, _worker: &Handle) -> Result<Server, Failure> {
    Ok(Server)
}
