//! A TCP proxy whose connections can be made to hang: no byte passes any more, and nobody is told.
//!
//! That is what a firewall that forgets a connection does, a network that was cut, or a server whose disk hangs.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::util::stop::Stop;

/// How long a connection waits for bytes before it looks whether it should hang or end.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

#[derive(Debug)]
struct Shared {
    upstream: String,
    stop: Stop,
    /// Connections taken so far; each has the number at which it came.
    taken: AtomicU64,
    /// Connections below this number hang.
    hanging: AtomicU64,
}

/// A running proxy on loopback; it ends when dropped.
pub(super) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts a proxy to `host:port`.
    pub(super) fn start(upstream: String) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared =
            Arc::new(Shared { upstream, stop: Stop::new(), taken: AtomicU64::new(0), hanging: AtomicU64::new(0) });
        let acceptor = shared.clone();
        let thread =
            std::thread::Builder::new().name("demo-proxy".to_owned()).spawn(move || accept(&listener, &acceptor))?;
        Ok(Proxy { address, shared, thread: Some(thread) })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets every connection that there is now hang. Later ones pass.
    pub(super) fn hang(&self) {
        self.shared.hanging.store(self.shared.taken.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stop.set();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    while !shared.stop.is_set() {
        let Ok((client, _)) = listener.accept() else {
            shared.stop.wait(Duration::from_millis(5));
            continue;
        };
        let number = shared.taken.fetch_add(1, Ordering::SeqCst);
        // A server that cannot be reached is what the client sees as a connection that closes.
        let Ok(server) = TcpStream::connect(&shared.upstream) else { continue };
        for (from, to) in [(client.try_clone(), server.try_clone()), (Ok(server), Ok(client))] {
            let (Ok(from), Ok(to)) = (from, to) else { continue };
            let shared = shared.clone();
            let pump = move || pump(from, to, number, &shared);
            threads.extend(std::thread::Builder::new().name("demo-proxy-pump".to_owned()).spawn(pump));
        }
    }
    for thread in threads {
        drop(thread.join());
    }
}

/// Carries bytes one way until either side ends, or holds them back while the connection hangs.
fn pump(mut from: TcpStream, mut to: TcpStream, number: u64, shared: &Shared) {
    let prepared = from.set_nonblocking(false).and_then(|()| from.set_read_timeout(Some(LOOK_INTERVAL)));
    if prepared.and_then(|()| to.set_nodelay(true)).is_err() {
        return;
    }
    let mut buffer = vec![0; 64 * 1024];
    while !shared.stop.is_set() {
        if number < shared.hanging.load(Ordering::SeqCst) {
            shared.stop.wait(LOOK_INTERVAL);
            continue;
        }
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                let bytes = buffer.get(..length).unwrap_or_default();
                if to.write_all(bytes).is_err() {
                    break;
                }
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
            Err(_) => break,
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn connect(proxy: &Proxy) -> TcpStream {
        let stream = TcpStream::connect(proxy.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        stream
    }

    /// Sends a byte to a server that echoes; whether it came back.
    fn check(stream: &mut TcpStream, comes_back: bool) {
        stream.write_all(b"x").unwrap();
        let mut byte = [0];
        assert_eq!(stream.read_exact(&mut byte).is_ok(), comes_back);
    }

    #[test]
    fn old_connections_hang_and_live_and_new_ones_pass() {
        let echo = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = echo.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in echo.incoming() {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || std::io::copy(&mut stream.try_clone().unwrap(), &mut stream));
            }
        });
        let proxy = Proxy::start(address.to_string()).unwrap();
        let mut old = connect(&proxy);
        check(&mut old, true);
        proxy.hang();
        // Bytes that were read before the hang are on their way; those after it are held back.
        std::thread::park_timeout(LOOK_INTERVAL * 2);
        check(&mut old, false);
        check(&mut connect(&proxy), true);
    }
}
