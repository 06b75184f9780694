//! TLS and basic authentication in front of a registry that has neither.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use openssl::ssl::{SslAcceptor, SslMethod};

use crate::authority::Certified;

/// A proxy; it serves until the process ends.
pub struct HttpsProxy {
    pub port: u16,
    answered: Arc<AtomicU64>,
}

impl HttpsProxy {
    /// Speaks TLS with this certificate, wants this `Authorization`, and asks `target` (host:port).
    pub fn start(certified: &Certified, authorization: &'static str, target: &str) -> Self {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_private_key(&certified.key).unwrap();
        acceptor.set_certificate(&certified.certificate).unwrap();
        let (acceptor, target) = (acceptor.build(), target.to_owned());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answered = Arc::new(AtomicU64::new(0));
        let count = answered.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (acceptor, target, count) = (acceptor.clone(), target.clone(), count.clone());
                std::thread::spawn(move || {
                    // A client that does not trust us ends the handshake.
                    if let Ok(stream) = acceptor.accept(stream) {
                        serve(stream, authorization, &target, &count);
                    }
                });
            }
        });
        HttpsProxy { port, answered }
    }

    /// Requests that were let through.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }
}

/// One request; the connection is closed behind its answer.
fn serve<S: Read + Write>(stream: S, authorization: &str, target: &str, count: &AtomicU64) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length, mut allowed) = (Vec::new(), 0, false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let Some((name, value)) = line.split_once(':').filter(|_| !head.is_empty()) else {
            let ends = line.trim().is_empty();
            head.push(line);
            if ends {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "authorization" => allowed = value.trim() == authorization,
            "connection" => continue,
            _ => {}
        }
        head.push(line.clone());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut answer = Vec::new();
    if allowed {
        count.fetch_add(1, Ordering::Relaxed);
        head.insert(1, "Connection: close\r\n".to_owned());
        let mut upstream = TcpStream::connect(target).unwrap();
        upstream.write_all(&[head.concat().as_bytes(), &body].concat()).unwrap();
        upstream.read_to_end(&mut answer).unwrap();
    } else {
        answer.extend_from_slice(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let _ = reader.get_mut().write_all(&answer);
    let _ = reader.get_mut().flush();
}
