//! Connections: who speaks HTTP with this worker.
//!
//! In: a socket that listens. Out: requests for the router, and its answers. Promised: there are never more connections
//! than [`Limits`] says; where there are so many, a new one takes the place of the one for which nothing has been done for
//! longest, so that a probe is answered whatever others do; one that says nothing, or begins a TLS handshake or a request and
//! does not go on, or does not read its answer, is closed in time and costs itself alone.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use openssl::ssl::{Ssl, SslAcceptor};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use tokio_openssl::SslStream;

use crate::util::clock;

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

/// How often somebody reads that there are too many.
const SAY_INTERVAL: Duration = Duration::from_secs(60);

/// How long a new connection waits at a time where a request is under way on all others.
const ROOM_INTERVAL: Duration = Duration::from_millis(100);

/// Since when nothing is done for a connection: it says nothing, or does not read. `None` while a request is under way.
#[derive(Clone)]
struct Idle(Arc<Mutex<Option<Instant>>>);

impl Idle {
    fn new() -> Idle {
        Idle(Arc::new(Mutex::new(Some(clock::moment()))))
    }

    fn since(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}

/// A request that is under way, however it ends.
struct Busy(Idle);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.set(Some(clock::moment()));
    }
}

/// The connections of a listener.
#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    open: Vec<(AbortHandle, Idle)>,
    /// When it was said last that there are too many.
    said: Option<Instant>,
}

impl Connections {
    /// Waits until there is room for one more.
    async fn make_room(&mut self, limit: usize) {
        while self.tasks.try_join_next().is_some() {}
        self.open.retain(|(task, _)| !task.is_finished());
        while self.tasks.len() >= limit {
            if self.said.is_none_or(|said| said.elapsed() >= SAY_INTERVAL) {
                self.said = Some(clock::moment());
                tracing::warn!(
                    limit,
                    "too many connections: a new one takes the place of the one that is idle for longest"
                );
            }
            if let Some((task, _)) =
                self.open.iter().filter(|(_, idle)| idle.since().is_some()).min_by_key(|(_, idle)| idle.since())
            {
                task.abort();
            }
            let _ = timeout(ROOM_INTERVAL, self.tasks.join_next()).await;
            self.open.retain(|(task, _)| !task.is_finished());
        }
    }
}

/// Takes connections for ever.
pub(super) async fn serve(mut socket: TcpListener, tls: Option<SslAcceptor>, router: Router, limits: Limits) {
    let mut connections = Connections::default();
    loop {
        // axum's own listener waits where the system has no room for another connection.
        let (stream, _) = axum::serve::Listener::accept(&mut socket).await;
        connections.make_room(limits.connections).await;
        let idle = Idle::new();
        let service = Watched { router: TowerToHyperService::new(router.clone()), idle: idle.clone() };
        let task = connections.tasks.spawn(connection(stream, tls.clone(), service, limits));
        connections.open.push((task, idle));
    }
}

/// The router, and when it is at work.
struct Watched {
    router: TowerToHyperService<Router>,
    idle: Idle,
}

type Answer = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
type Never = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;

impl Service<Request<Incoming>> for Watched {
    type Response = Answer;
    type Error = Never;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Never>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.idle.set(None);
        let busy = Busy(self.idle.clone());
        let answer = self.router.call(request);
        Box::pin(async move {
            let _busy = busy;
            answer.await
        })
    }
}

async fn connection(stream: TcpStream, tls: Option<SslAcceptor>, router: Watched, limits: Limits) {
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

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Watched, limits: Limits) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head);
    let connection = http.serve_connection(TokioIo::new(stream), router);
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

    /// A server with these limits that answers `yes`, for as long as the test runs; at `/long` more than anybody buffers.
    fn start(limits: Limits) -> net::SocketAddr {
        let socket = net::TcpListener::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let router = Router::new().fallback(|| async { "yes" });
                let router = router.route("/long", axum::routing::get(|| async { "x".repeat(16 << 20) }));
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

    /// Silence, and half a request, are closed in time.
    #[test]
    fn those_who_say_nothing_are_closed() {
        let address = start(Limits { head: Duration::from_millis(300), ..Limits::DEFAULT });
        let (mut silent, mut slow) = (connect(address), connect(address));
        slow.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap();
        assert!(is_closed(&mut silent) && is_closed(&mut slow));
    }

    /// Where all places are taken by those who say nothing, or do not read, the one that has done so for longest makes room.
    #[test]
    fn those_who_say_nothing_or_do_not_read_make_room() {
        let hour = Duration::from_secs(3_600);
        let address = start(Limits { connections: 3, head: hour, age: hour, ..Limits::DEFAULT });
        let (mut silent, mut slow, mut deaf) = (connect(address), connect(address), connect(address));
        slow.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap();
        deaf.write_all(b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        for _ in 0..9 {
            assert!(ask(&mut connect(address)).ends_with("yes"));
        }
        assert!(is_closed(&mut silent));
        let mut others = Vec::new();
        for _ in 0..3 {
            let mut other = connect(address);
            other.write_all(b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            others.push(other);
            assert!(ask(&mut connect(address)).ends_with("yes"));
        }
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
