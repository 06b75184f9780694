//! The login against a scripted server on loopback: what no honest server does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::super::{Connection, SslMode};
use super::*;
use crate::error::Coded;

fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend((body.len() as u32 + 4).to_be_bytes());
    out.extend(body);
    out
}

fn error(sql_state: &str) -> Vec<u8> {
    frame(b'E', format!("VFATAL\0C{sql_state}\0Msome words\0\0").as_bytes())
}

const OK: [u8; 4] = [0; 4];

/// A server that sends the first part when it is connected to, and each further one when something has come in; on every
/// connection. Gives its port.
fn serve(parts: Vec<Vec<u8>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            for part in &parts {
                // The client may have left in the midst of it.
                if connection.read(&mut [0; 4_096]).unwrap_or(0) == 0 || connection.write_all(part).is_err() {
                    break;
                }
            }
            let _ = connection.shutdown(std::net::Shutdown::Write);
            let _ = connection.read_to_end(&mut Vec::new());
        }
    });
    port
}

fn check(mode: SslMode, parts: Vec<Vec<u8>>, expected: Result<(), u16>) {
    let mut options = ConnectOptions {
        host: "127.0.0.1".to_owned(),
        port: serve(parts.clone()),
        user: "cdc".to_owned(),
        password: Some(Secret::new("secret")),
        connect_timeout: Duration::from_secs(60),
        ..ConnectOptions::default()
    };
    options.ssl.mode = mode;
    let stop = Arc::new(AtomicBool::new(false));
    let result = Connection::connect(&options, Purpose::Sql, &stop).map(|_| ());
    if let Err(error) = &result {
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
    assert_eq!(result.map_err(|error| error.code().number), expected, "{parts:?}");
}

#[test]
fn what_is_slipped_in_before_tls_is_refused() {
    let ready = [frame(b'R', &OK), frame(b'Z', b"I")].concat();
    for mode in [SslMode::Require, SslMode::VerifyFull] {
        check(mode, vec![[b"S".to_vec(), ready.clone()].concat()], Err(1300));
        check(mode, vec![b"N".to_vec()], Err(1205));
        check(mode, vec![b"H".to_vec()], Err(1300));
        check(mode, vec![error("53300")], Err(1216));
    }
    // A server that says yes and does not speak TLS: `prefer` goes on without, as libpq does, `require` does not.
    check(SslMode::Require, vec![b"S".to_vec(), b"nonsense".to_vec()], Err(1206));
}

#[test]
fn a_login_that_ends_early_or_never_is_refused() {
    let sasl = frame(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0");
    let ready = [frame(b'R', &OK), frame(b'S', b"server_version\x0017.2\0"), frame(b'Z', b"I")].concat();
    let plain = |parts, expected| check(SslMode::Disable, parts, expected);
    plain(vec![ready.clone()], Ok(()));
    // The server asks for a proof and gives none.
    plain(vec![sasl.clone(), ready.clone()], Err(1302));
    plain(vec![frame(b'R', b"\0\0\0\x0cv=x"), ready.clone()], Err(1302));
    plain(vec![frame(b'R', b"\0\0\0\x0br=x"), ready.clone()], Err(1302));
    plain(vec![sasl.clone(), sasl.clone(), frame(b'R', b"\0\0\0\x0br=,s=,i=1"), ready], Err(1302));
    plain(vec![frame(b'R', b"\0\0\0\x0aSCRAM-SHA-256-PLUS\0\0")], Err(1213));
    plain(vec![frame(b'R', b"\0\0\0\x07")], Err(1213));
    plain(vec![error("28P01")], Err(1211));
    plain(vec![[frame(b'R', &OK), error("57P03")].concat()], Err(1216));
    plain(vec![b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()], Err(1301));
    plain(vec![frame(b'D', b"")], Err(1300));
    plain(vec![[frame(b'R', &OK), frame(b'T', b"")].concat()], Err(1300));
    plain(vec![vec![b'R', 0, 0, 0, 1]], Err(1300));
    plain(vec![Vec::new()], Err(1204));
    plain(vec![frame(b'v', &[0; 8]).repeat(100)], Err(1300));
}
