//! A TCP proxy on loopback that fails on command: bytes stop while TCP lives, connections are reset.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How often a quiet connection looks at the rules.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Default)]
struct Rules {
    /// No connection passes a byte, old or new.
    blackhole: AtomicBool,
    /// Connections up to this number never pass a byte again.
    dead_up_to: AtomicU64,
    /// Connections up to this number have lost their server, which nobody tells the client.
    orphans_up_to: AtomicU64,
    /// Connections up to this number are reset.
    reset_up_to: AtomicU64,
    /// After so many more bytes from the server, all connections are reset, once; negative for never.
    reset_after: AtomicI64,
    /// Bytes a second from the server, for each connection; 0 for as fast as they come.
    rate: AtomicU64,
    /// New connections are reset at once.
    refuses: AtomicBool,
    /// The longest that a piece may be late, in milliseconds.
    late: AtomicU64,
    /// The next bytes from the server are not what it sent, once.
    corrupt: AtomicBool,
    /// Connections so far.
    connections: AtomicU64,
    /// Bytes from the server so far.
    downstream: AtomicU64,
    ended: AtomicBool,
    target: Mutex<String>,
}

impl Rules {
    fn passes(&self, number: u64) -> bool {
        let dead_up_to = self.dead_up_to.load(Ordering::Acquire);
        !self.blackhole.load(Ordering::Acquire) && number > dead_up_to && !self.is_orphan(number)
    }

    fn is_orphan(&self, number: u64) -> bool {
        number <= self.orphans_up_to.load(Ordering::Acquire)
    }

    fn is_over(&self, number: u64) -> bool {
        self.ended.load(Ordering::Acquire) || number <= self.reset_up_to.load(Ordering::Acquire)
    }

    fn reset_all(&self) {
        self.reset_up_to.store(self.connections.load(Ordering::Acquire), Ordering::Release);
    }
}

/// A proxy; its connections end when it is dropped.
pub struct FaultProxy {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    rules: Arc<Rules>,
}

impl FaultProxy {
    /// Listens, and passes everything on to `target` (host:port).
    pub fn start(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        listener.set_nonblocking(true).unwrap();
        let rules = Arc::new(Rules { reset_after: AtomicI64::new(-1), ..Rules::default() });
        *rules.target.lock().unwrap() = target.to_owned();
        let shared = rules.clone();
        std::thread::spawn(move || accept(&listener, &shared));
        FaultProxy { port, rules }
    }

    /// Bytes stop, in every connection, old and new; TCP lives.
    pub fn blackhole(&self) {
        self.rules.blackhole.store(true, Ordering::Release);
    }

    /// Connections that exist now stay silent for ever; new ones work, at once.
    pub fn freeze(&self) {
        self.rules.dead_up_to.store(self.rules.connections.load(Ordering::Acquire), Ordering::Release);
        self.rules.blackhole.store(false, Ordering::Release);
    }

    /// The server sees that the connections which exist now end, and their clients see nothing; new ones work.
    pub fn lose_server(&self) {
        self.rules.orphans_up_to.store(self.rules.connections.load(Ordering::Acquire), Ordering::Release);
    }

    /// Every connection gets a TCP reset, and so does each new one, until [`FaultProxy::pass`].
    pub fn refuse(&self) {
        self.rules.refuses.store(true, Ordering::Release);
        self.reset();
    }

    /// Every piece comes late, by a time that is different each time and never longer than this, until
    /// [`FaultProxy::pass`].
    pub fn delay(&self, longest: Duration) {
        self.rules.late.store(longest.as_millis() as u64, Ordering::Release);
    }

    /// What was silent for ever ends, as it would when a host is started anew: each costs two threads.
    pub fn bury_the_dead(&self) {
        let dead = self.rules.dead_up_to.load(Ordering::Acquire);
        let dead = dead.max(self.rules.orphans_up_to.load(Ordering::Acquire));
        self.rules.reset_up_to.fetch_max(dead, Ordering::AcqRel);
    }

    /// Everything passes again, also what waited, as fast as it comes.
    pub fn pass(&self) {
        self.rules.rate.store(0, Ordering::Release);
        self.rules.late.store(0, Ordering::Release);
        self.rules.refuses.store(false, Ordering::Release);
        self.rules.blackhole.store(false, Ordering::Release);
    }

    /// What comes from the server passes no faster than this in each connection, until [`FaultProxy::pass`].
    pub fn slow(&self, bytes_a_second: u64) {
        self.rules.rate.store(bytes_a_second, Ordering::Release);
    }

    /// Every connection gets a TCP reset; new ones work.
    pub fn reset(&self) {
        self.rules.reset_all();
    }

    /// After so many more bytes from the server every connection gets a TCP reset, once.
    pub fn reset_after(&self, bytes: u64) {
        self.rules.reset_after.store(i64::try_from(bytes).unwrap(), Ordering::Release);
    }

    /// Whether the reset of [`FaultProxy::reset_after`] has happened.
    pub fn has_reset(&self) -> bool {
        self.rules.reset_after.load(Ordering::Acquire) < 0
    }

    /// The next bytes that come from the server are turned over, once.
    pub fn corrupt(&self) {
        self.rules.corrupt.store(true, Ordering::Release);
    }

    /// Whether the bytes of [`FaultProxy::corrupt`] have passed.
    pub fn has_corrupted(&self) -> bool {
        !self.rules.corrupt.load(Ordering::Acquire)
    }

    /// Bytes from the server so far.
    pub fn downstream(&self) -> u64 {
        self.rules.downstream.load(Ordering::Acquire)
    }

    /// New connections go to another server, and those that exist are reset: a failover behind one address.
    pub fn switch(&self, target: &str) {
        self.lead_to(target);
        self.reset();
    }

    /// New connections go to another server; those that exist stay.
    pub fn lead_to(&self, target: &str) {
        *self.rules.target.lock().unwrap() = target.to_owned();
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.rules.ended.store(true, Ordering::Release);
    }
}

fn accept(listener: &TcpListener, rules: &Arc<Rules>) {
    while !rules.ended.load(Ordering::Acquire) {
        let client = match listener.accept() {
            Ok((client, _)) => client,
            Err(_) => {
                std::thread::sleep(LOOK);
                continue;
            }
        };
        let number = rules.connections.fetch_add(1, Ordering::AcqRel) + 1;
        let rules = rules.clone();
        std::thread::spawn(move || serve(client, number, &rules));
    }
}

fn serve(client: TcpStream, number: u64, rules: &Arc<Rules>) {
    client.set_nonblocking(false).unwrap();
    if rules.refuses.load(Ordering::Acquire) {
        return reset(&client);
    }
    while !rules.passes(number) {
        if rules.is_over(number) {
            return reset(&client);
        }
        std::thread::sleep(LOOK);
    }
    let target = rules.target.lock().unwrap().clone();
    let Ok(server) = TcpStream::connect(target) else { return reset(&client) };
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(LOOK)).unwrap();
    }
    std::thread::scope(|scope| {
        scope.spawn(|| pump(&client, &server, number, rules, false));
        pump(&server, &client, number, rules, true);
    });
    if rules.is_over(number) {
        reset(&client);
        reset(&server);
    }
}

/// Closing a socket that lingers for no time sends a TCP reset.
fn reset(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

fn pump(mut from: &TcpStream, mut to: &TcpStream, number: u64, rules: &Rules, downstream: bool) {
    let mut buffer = vec![0; 64 * 1024];
    while !rules.is_over(number) {
        if !rules.passes(number) {
            if downstream && rules.is_orphan(number) {
                let _ = from.shutdown(Shutdown::Both);
            }
            std::thread::sleep(LOOK);
            continue;
        }
        let rate = if downstream { rules.rate.load(Ordering::Acquire) } else { 0 };
        // At a rate, small pieces: none may take longer than it takes to look at the rules.
        let piece = if rate == 0 { buffer.len() } else { (rate as usize / 200).clamp(1, buffer.len()) };
        let length = match from.read(&mut buffer[..piece]) {
            Ok(0) => {
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
            Ok(length) => length,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(_) => {
                let _ = to.shutdown(Shutdown::Both);
                return;
            }
        };
        if rate != 0 {
            std::thread::sleep(Duration::from_secs_f64(length as f64 / rate as f64));
        }
        let late = rules.late.load(Ordering::Acquire);
        if late != 0 {
            std::thread::sleep(Duration::from_millis(fastrand::u64(..late)));
        }
        let mut passed = length;
        if downstream && rules.corrupt.swap(false, Ordering::AcqRel) {
            buffer[..length].iter_mut().for_each(|byte| *byte = !*byte);
        }
        if downstream {
            rules.downstream.fetch_add(length as u64, Ordering::AcqRel);
            let left = rules.reset_after.load(Ordering::Acquire);
            if left >= 0 {
                let remaining = left - length as i64;
                rules.reset_after.store(remaining, Ordering::Release);
                if remaining < 0 {
                    passed = left as usize;
                    rules.reset_all();
                }
            }
        }
        if to.write_all(&buffer[..passed]).is_err() {
            let _ = from.shutdown(Shutdown::Both);
            return;
        }
    }
}
