//! The TCP connection: names to addresses, addresses to a connected socket, each before the deadline.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use super::{Deadline, Doing, LineError, Readiness, wait};

/// Silence before the kernel's first keep-alive probe (`connect.keep.alive.interval.ms` of Debezium: 60 s).
const KEEP_ALIVE_IDLE: Duration = Duration::from_secs(60);
/// Between probes.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// Unanswered probes before the kernel gives the connection up.
const KEEP_ALIVE_PROBES: u32 = 3;
/// How long sent bytes may stay unacknowledged: a half-open connection ends here, not after 15 minutes.
const USER_TIMEOUT: Duration = Duration::from_secs(30);

/// Opens a connection to the first address that answers. With `keep_alive` the kernel asks after a minute of silence
/// whether the peer is there.
pub fn connect(
    hostname: &str,
    port: u16,
    keep_alive: bool,
    deadline: Deadline,
    stop: &AtomicBool,
) -> Result<TcpStream, LineError> {
    let addresses = resolve(hostname, port, deadline.step(Doing::RESOLVE), stop)?;
    let deadline = deadline.step(Doing::CONNECT);
    let mut failure =
        LineError::UnknownHost { hostname: hostname.to_owned(), reason: "the name has no address".to_owned() };
    let count = addresses.len();
    for (index, address) in addresses.into_iter().enumerate() {
        // An address that does not answer must leave time for those behind it.
        let share = deadline.remaining().map(|left| left / (count - index) as u32);
        match connect_one(address, Deadline::after(Doing::CONNECT, share), keep_alive, stop) {
            Ok(stream) => return Ok(stream),
            Err(LineError::Stopped) => return Err(LineError::Stopped),
            Err(error) => failure = error,
        }
    }
    // The share of an address is an inner detail: the error names the whole allowance.
    if matches!(failure, LineError::Deadline { .. }) {
        return Err(deadline.passed());
    }
    Err(failure)
}

/// The resolver of the C library has no deadline of its own, so it runs in a thread that is left behind
/// when it takes too long; the library ends it by the limits of resolv.conf.
fn resolve(hostname: &str, port: u16, deadline: Deadline, stop: &AtomicBool) -> Result<Vec<SocketAddr>, LineError> {
    let bare = hostname.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let unknown = |reason: String| LineError::UnknownHost { hostname: hostname.to_owned(), reason };
    let (sender, receiver) = sync_channel(1);
    let target = (hostname.to_owned(), port);
    std::thread::Builder::new()
        .name("resolve".to_owned())
        .spawn(move || {
            let found = target.to_socket_addrs().map(|addresses| addresses.collect::<Vec<_>>());
            // Nobody listens any more when the deadline has passed.
            let _ = sender.send(found);
        })
        .map_err(|error| unknown(error.to_string()))?;
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(LineError::Stopped);
        }
        let slice = match deadline.remaining() {
            Some(Duration::ZERO) => return Err(deadline.passed()),
            Some(left) => left.min(Duration::from_millis(100)),
            None => Duration::from_millis(100),
        };
        match receiver.recv_timeout(slice) {
            Ok(found) => return found.map_err(|error| unknown(error.to_string())),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(unknown("the resolver ended".to_owned()));
            }
        }
    }
}

fn connect_one(
    address: SocketAddr,
    deadline: Deadline,
    keep_alive: bool,
    stop: &AtomicBool,
) -> Result<TcpStream, LineError> {
    let failed = |error: io::Error| LineError::Connect { address, error };
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP)).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    socket.set_tcp_nodelay(true).map_err(failed)?;
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT)).map_err(failed)?;
    if keep_alive {
        let keep_alive = TcpKeepalive::new()
            .with_time(KEEP_ALIVE_IDLE)
            .with_interval(KEEP_ALIVE_INTERVAL)
            .with_retries(KEEP_ALIVE_PROBES);
        socket.set_tcp_keepalive(&keep_alive).map_err(failed)?;
    }
    match socket.connect(&address.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {
            wait(&socket, Readiness::Write, &deadline, stop)?;
            if let Some(error) = socket.take_error().map_err(failed)? {
                return Err(failed(error));
            }
        }
        Err(error) => return Err(failed(error)),
    }
    Ok(socket.into())
}
