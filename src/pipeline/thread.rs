//! Threads, which only this room and those that watch it start.

use std::thread::JoinHandle;

use super::error::PipelineError;
use crate::error::Failure;

/// Starts a thread of this name. A connector's name may hold anything; a thread's may hold no NUL.
///
/// # Errors
/// When the system has none to give.
pub fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Failure> {
    let name = name.replace('\0', "?");
    let spawned = std::thread::Builder::new().name(name.clone()).spawn(run);
    spawned.map_err(|error| PipelineError::Spawn { thread: name, message: error.to_string() }.into())
}
