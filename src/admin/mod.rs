//! HTTP: Kafka Connect's REST API for source connectors, health, metrics.
//!
//! In: requests on the worker's `listeners`. Out: JSON as Kafka Connect writes it, and Prometheus text.
//! Promised: an answer never waits for a connector; what looks reads what the connectors' threads have written down, and
//! what changes something is durable before the answer says so.
//! The server has an OS thread and a runtime of its own, so that it answers whatever the pipelines do.
//! Nothing here survives a crash.

mod access;
mod answer;
mod connectors;
mod error;
mod exposition;
mod flow;
mod flow_series;
mod forward;
mod health;
mod listening;
mod loggers;
mod mbeans;
mod offsets;
mod plugins;
mod rest;
mod retention_series;
mod routes;
mod tls;
mod windows;

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::thread::JoinHandle;

use openssl::ssl::SslAcceptor;
use tokio::sync::oneshot;

pub use error::{AdminError, CODES};

use crate::config::worker::{Listener, WorkerConfig};
use crate::error::Failure;
use crate::worker::Handle;
use exposition::Exposition;
use listening::Limits;

/// A server that runs until it is dropped.
pub struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    addresses: Vec<SocketAddr>,
}

impl Server {
    /// The addresses it listens on.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn bind(listener: &Listener) -> Result<TcpListener, AdminError> {
    let host = listener.host.as_deref().filter(|host| !host.is_empty()).unwrap_or("0.0.0.0");
    let address = format!("{host}:{}", listener.port);
    let failed = |error: std::io::Error| AdminError::Listen { address: address.clone(), message: error.to_string() };
    let addresses: Vec<SocketAddr> = (host, listener.port).to_socket_addrs().map_err(failed)?.collect();
    let socket = TcpListener::bind(addresses.as_slice()).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    Ok(socket)
}

/// Starts the server on the worker's listeners.
///
/// # Errors
/// When a listener's address cannot be used.
pub fn start(config: &WorkerConfig, worker: &Handle) -> Result<Server, Failure> {
    let tls = match config.listeners.iter().any(|listener| listener.tls) {
        true => Some(tls::acceptor(&config.listeners_tls)?),
        false => None,
    };
    let exposition = Arc::new(Exposition::new(config)?);
    let sockets = config.listeners.iter().map(bind).collect::<Result<Vec<_>, _>>()?;
    let addresses: Vec<SocketAddr> = sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect();
    let acceptors: Vec<Option<SslAcceptor>> =
        config.listeners.iter().map(|listener| tls.clone().filter(|_| listener.tls)).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| AdminError::Runtime(error.to_string()))?;
    let (stop, stopped) = oneshot::channel();
    let router = rest::router(worker.clone(), exposition.clone());
    let watched = worker.clone();
    let serve = move || {
        runtime.block_on(async {
            let servers = sockets.into_iter().zip(acceptors).filter_map(|(socket, acceptor)| {
                let socket = tokio::net::TcpListener::from_std(socket).ok()?;
                Some(listening::serve(socket, acceptor, router.clone(), Limits::DEFAULT))
            });
            let all = futures_util::future::join_all(servers);
            tokio::select! {
                biased;
                // First, because a request to stop must not wait for a request to be answered.
                _ = stopped => {}
                _ = all => {}
                () = exposition.look_on(&watched) => {}
            }
        });
        // A request that waits for a pipeline that hangs must not hold up the end of the process.
        runtime.shutdown_background();
    };
    let spawned = std::thread::Builder::new().name("admin".to_owned()).spawn(serve);
    let thread = spawned.map_err(|error| AdminError::Runtime(error.to_string()))?;
    for address in &addresses {
        tracing::info!(%address, "listening");
    }
    Ok(Server { stop: Some(stop), thread: Some(thread), addresses })
}
