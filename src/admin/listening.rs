//! Connections: who speaks HTTP with this worker.
//!
//! In: a socket that listens. Out: requests for the router, and its answers. Promised: there are never more connections
//! than [`Limits`] says, more wait in the system's queue; one that says nothing, or begins a TLS handshake or a request and
//! does not go on, or does not read its answer, is closed in time and costs itself alone.

use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use openssl::ssl::{Ssl, SslAcceptor};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_openssl::SslStream;

/// What a listener's connections may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many there may be at a time.
    connections: usize,
    /// How long a TLS handshake may take.
    handshake: Duration,
    /// How long the head of a request is waited for, the first byte of the next one on an open connection included.
    head: Duration,
    /// How old a connection becomes: it is closed behind the answer that is under way then.
    age: Duration,
    /// How long that answer may take: longer than any request.
    last_answer: Duration,
}

impl Limits {
    /// A worker has a handful of clients. Each may send one body at a time, and holds one file descriptor.
    pub(super) const DEFAULT: Limits = Limits {
        connections: 128,
        handshake: Duration::from_secs(10),
        // As Connect's server (Jetty) does with those that are idle.
        head: Duration::from_secs(30),
        age: Duration::from_secs(600),
        last_answer: Duration::from_secs(150),
    };
}

/// Takes connections for ever.
pub(super) async fn serve(mut socket: TcpListener, tls: Option<SslAcceptor>, router: Router, limits: Limits) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        while connections.len() >= limits.connections {
            connections.join_next().await;
        }
        // axum's own listener waits where the system has no room for another connection.
        let (stream, _) = axum::serve::Listener::accept(&mut socket).await;
        connections.spawn(connection(stream, tls.clone(), router.clone(), limits));
    }
}

async fn connection(stream: TcpStream, tls: Option<SslAcceptor>, router: Router, limits: Limits) {
    let Some(tls) = tls else { return speak(stream, router, limits).await };
    let mut stream = match Ssl::new(tls.context()).and_then(|ssl| SslStream::new(ssl, stream)) {
        Ok(stream) => stream,
        Err(error) => return tracing::warn!(%error, "a TLS connection cannot be made"),
    };
    match timeout(limits.handshake, Pin::new(&mut stream).accept()).await {
        Ok(Ok(())) => speak(stream, router, limits).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake did not end"),
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router, limits: Limits) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    if timeout(limits.age, connection.as_mut()).await.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ = timeout(limits.last_answer, connection).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::io::{Read, Write};
    use std::net;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// A server with these limits that answers `yes`, for as long as the test runs.
    fn start(limits: Limits) -> net::SocketAddr {
        let socket = net::TcpListener::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let router = Router::new().fallback(|| async { "yes" });
                serve(TcpListener::from_std(socket).unwrap(), None, router, limits).await;
            });
        });
        address
    }

    fn connect(address: net::SocketAddr) -> net::TcpStream {
        let stream = net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn ask(stream: &mut net::TcpStream) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn is_closed(stream: &mut net::TcpStream) -> bool {
        // A refusal (408) may come before the end.
        stream.read_to_end(&mut Vec::new()).is_ok()
    }

    /// Silence, and half a request, are closed in time; until then there is no place for another, who waits and is served.
    #[test]
    fn those_who_say_nothing_make_room() {
        let head = Duration::from_millis(300);
        let address = start(Limits { connections: 2, head, ..Limits::DEFAULT });
        let (mut silent, mut slow) = (connect(address), connect(address));
        slow.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap();
        assert!(ask(&mut connect(address)).ends_with("yes"));
        assert!(is_closed(&mut silent) && is_closed(&mut slow));
    }

    /// One that is always busy ends, too, and not within an answer.
    #[test]
    fn connections_do_not_live_for_ever() {
        let address = start(Limits { age: Duration::from_millis(300), ..Limits::DEFAULT });
        let mut busy = connect(address);
        let (mut answers, mut part) = (0, [0; 4_096]);
        while busy.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").is_ok() {
            match busy.read(&mut part) {
                Ok(0) | Err(_) => break,
                Ok(length) => assert!(part[..length].ends_with(b"yes")),
            }
            answers += 1;
        }
        assert!(answers > 0);
    }
}
