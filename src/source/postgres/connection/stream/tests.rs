//! The stream against a scripted server on loopback: what real servers do only when they break.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::error::Coded;
use crate::source::line::Line;

const HOUR: Duration = Duration::from_secs(3_600);
const SILENCE: Duration = Duration::from_millis(300);

/// What the server does next.
#[derive(Clone)]
enum Act {
    /// Sends bytes in one write.
    Send(Vec<u8>),
    /// Waits until the client has been given messages.
    Await,
    /// Keeps the connection open and says nothing.
    Hang,
}

/// Both ends of a connection.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    client.set_nonblocking(true).unwrap();
    let (server, _) = listener.accept().unwrap();
    server.set_nodelay(true).unwrap();
    (client, server)
}

fn stream(client: TcpStream, block_bytes: usize, silence: Duration) -> ReplicationStream {
    let stop: StopFlag = Arc::new(AtomicBool::new(false));
    let mut request = ReplicationRequest::new("slot", vec!["publication".to_owned()]);
    (request.block_bytes, request.silence) = (block_bytes, silence);
    let conversation = Conversation::new(Line::Plain(client), stop);
    ReplicationStream::new(conversation, "cdc".to_owned(), &request, HOUR, Arc::new(ConfirmedLsn::default())).unwrap()
}

/// Plays the script on a thread of its own, then closes.
fn serve(mut server: TcpStream, script: Vec<Act>, given: Receiver<()>) {
    std::thread::spawn(move || {
        for act in script {
            match act {
                // The client may have left in the midst of it.
                Act::Send(bytes) => drop(server.write_all(&bytes)),
                Act::Await => drop(given.recv()),
                Act::Hang => while given.recv().is_ok() {},
            }
        }
        // What the client reports is read, or closing would be a reset.
        let _ = server.shutdown(std::net::Shutdown::Write);
        let _ = server.read_to_end(&mut Vec::new());
    });
}

fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend((body.len() as u32 + 4).to_be_bytes());
    out.extend(body);
    out
}

/// A message of `length` bytes.
fn wal(length: usize, fill: u8) -> Vec<u8> {
    let mut body = vec![b'w'];
    body.extend(u64::from(fill).to_be_bytes());
    body.extend(u64::from(fill).to_be_bytes());
    body.extend(0_i64.to_be_bytes());
    body.resize(25 + length, fill);
    frame(b'd', &body)
}

fn keepalive(end: u64, reply: bool) -> Vec<u8> {
    let mut body = vec![b'k'];
    body.extend(end.to_be_bytes());
    body.extend(0_i64.to_be_bytes());
    body.push(u8::from(reply));
    frame(b'd', &body)
}

/// Plays the script and gives lengths and first bytes of the messages, and the last outcome: `Err` by its code.
fn play(script: Vec<Act>, block_bytes: usize) -> (Vec<(usize, u8)>, Result<ReadOutcome, u16>) {
    let (sender, given) = channel();
    let (client, server) = pair();
    serve(server, script, given);
    let mut stream = stream(client, block_bytes, SILENCE);
    let (mut block, mut messages, mut all) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match stream.read_block(&mut block, &mut messages) {
            Ok(ReadOutcome::Messages) => {
                assert!(!messages.is_empty());
                for message in &messages {
                    let payload = message.payload(&block).unwrap();
                    assert!(payload.iter().all(|byte| *byte == payload[0]), "a message is mixed with another");
                    assert_eq!(message.start_lsn, Lsn(u64::from(payload[0])));
                    all.push((payload.len(), payload[0]));
                }
                let _ = sender.send(());
            }
            Ok(ReadOutcome::Keepalive) => assert!(messages.is_empty()),
            Ok(silent @ ReadOutcome::Silent(_)) => return (all, Ok(silent)),
            last => {
                assert!(matches!(stream.read_block(&mut block, &mut messages), Err(ConnectionError::GivenUp)));
                return (all, last.map_err(|error| error.code().number));
            }
        }
    }
}

fn check(script: Vec<Act>, messages: &[(usize, u8)], last: Result<ReadOutcome, u16>) {
    for block_bytes in [0, ReplicationRequest::BLOCK_BYTES] {
        assert_eq!(play(script.clone(), block_bytes), (messages.to_vec(), last));
    }
}

const CLOSED: Result<ReadOutcome, u16> = Err(1204);
const MALFORMED: Result<ReadOutcome, u16> = Err(1300);

#[test]
fn messages_before_the_last_word_are_given_before_it() {
    let messages = [wal(30, 1), wal(40, 2)].concat();
    let with = |last: Vec<u8>| vec![Act::Send([messages.clone(), last].concat())];
    let expected = [(30, 1), (40, 2)];
    check(with(frame(b'E', b"VERROR\0C58P01\0Mgone\0\0")), &expected, Err(1225));
    check(with(frame(b'E', b"VFATAL\0C57P01\0Mbye\0\0")), &expected, Err(1216));
    check(with([frame(b'c', b""), frame(b'C', b"COPY 0\0")].concat()), &expected, Ok(ReadOutcome::End));
    check(with(Vec::new()), &expected, CLOSED);
    check(with(wal(50, 3)[..30].to_vec()), &expected, CLOSED);
}

#[test]
fn what_may_come_at_any_time_does_not_disturb() {
    let notice = frame(b'N', b"VWARNING\0C01000\0Msomething\0\0");
    let setting = frame(b'S', b"TimeZone\0UTC\0");
    let bytes = [notice.clone(), wal(30, 1), setting, keepalive(9, false), wal(40, 2), notice].concat();
    check(vec![Act::Send(bytes)], &[(30, 1), (40, 2)], CLOSED);
}

#[test]
fn bytes_that_are_no_stream_are_errors() {
    check(vec![Act::Send([wal(30, 1), frame(b'd', b"x")].concat())], &[(30, 1)], MALFORMED);
    check(vec![Act::Send([wal(30, 1), frame(b'd', b"")].concat())], &[(30, 1)], MALFORMED);
    check(vec![Act::Send([wal(30, 1), frame(b'T', b"")].concat())], &[(30, 1)], MALFORMED);
    check(vec![Act::Send([wal(30, 1), frame(b'E', b"M")].concat())], &[(30, 1)], MALFORMED);
    check(vec![Act::Send(vec![b'd', 0, 0, 0, 3])], &[], MALFORMED);
    check(vec![Act::Send(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())], &[], Err(1301));
}

#[test]
fn silence_is_told_from_a_slow_line() {
    let bytes = [wal(30, 1), wal(5_000, 2)].concat();
    let mut script: Vec<Act> = bytes.chunks(700).map(|part| Act::Send(part.to_vec())).collect();
    script.push(Act::Hang);
    check(script, &[(30, 1), (5_000, 2)], Ok(ReadOutcome::Silent(SILENCE)));
    check(vec![Act::Send(bytes[..4_000].to_vec()), Act::Hang], &[(30, 1)], Ok(ReadOutcome::Silent(SILENCE)));
}

#[test]
fn a_message_that_was_silent_in_its_middle_comes_whole() {
    let (sender, given) = channel();
    let (client, server) = pair();
    let bytes = wal(5_000, 3);
    let (first, second) = bytes.split_at(2_000);
    serve(server, vec![Act::Send(first.to_vec()), Act::Await, Act::Send(second.to_vec()), Act::Hang], given);
    let mut stream = stream(client, 0, SILENCE);
    let (mut block, mut messages) = (Vec::new(), Vec::new());
    assert_eq!(stream.read_block(&mut block, &mut messages).unwrap(), ReadOutcome::Silent(SILENCE));
    sender.send(()).unwrap();
    assert_eq!(stream.read_block(&mut block, &mut messages).unwrap(), ReadOutcome::Messages);
    assert_eq!(messages[0].payload(&block).unwrap(), [3; 5_000]);
}

#[test]
fn a_message_leaves_at_once_when_the_line_is_dry() {
    // The second message is only sent when the first has been given; and when half of it has come with the first.
    let bytes = [wal(30, 1), wal(40, 2)].concat();
    for cut in [wal(30, 1).len(), wal(30, 1).len() + 20] {
        let (first, second) = bytes.split_at(cut);
        check(vec![Act::Send(first.to_vec()), Act::Await, Act::Send(second.to_vec())], &[(30, 1), (40, 2)], CLOSED);
    }
}

#[test]
fn messages_of_every_length_around_a_block_arrive_whole() {
    let block = ReplicationRequest::BLOCK_BYTES;
    let mut lengths = vec![1, 4_000, 4_065, 4_066, 4_067, 4_096, 8_192, 100_000];
    lengths.extend([block - 31, block - 30, block - 29, block - 1, block, block + 1, 3 * block, 20 << 20, 17, 100]);
    let bytes: Vec<u8> = lengths.iter().flat_map(|length| wal(*length, *length as u8 | 1)).collect();
    let expected: Vec<(usize, u8)> = lengths.iter().map(|length| (*length, *length as u8 | 1)).collect();
    check(vec![Act::Send(bytes)], &expected, CLOSED);
}

#[test]
fn memory_follows_what_has_come() {
    let (_sender, given) = channel();
    let (client, server) = pair();
    // A gigabyte announced, and sixty thousand bytes of it.
    let mut bytes = vec![b'd', 0x3f, 0xff, 0xff, 0xff];
    bytes.resize(60_000, b'w');
    serve(server, vec![Act::Send(bytes), Act::Hang], given);
    let mut announced = stream(client, 4_096, SILENCE);
    let (mut block, mut messages) = (Vec::new(), Vec::new());
    assert_eq!(announced.read_block(&mut block, &mut messages).unwrap(), ReadOutcome::Silent(SILENCE));
    assert!(block.capacity() <= 4 * 60_000, "{}", block.capacity());

    let (sender, given) = channel();
    let (client, server) = pair();
    serve(server, vec![Act::Send(wal(20 << 20, 1)), Act::Await, Act::Send(wal(1, 2)), Act::Hang], given);
    let mut giant = stream(client, 0, HOUR);
    assert_eq!(giant.read_block(&mut block, &mut messages).unwrap(), ReadOutcome::Messages);
    assert!(block.capacity() >= 20 << 20);
    sender.send(()).unwrap();
    assert_eq!(giant.read_block(&mut block, &mut messages).unwrap(), ReadOutcome::Messages);
    assert!(block.capacity() <= 4 * BLOCK_BYTES_MIN, "{}", block.capacity());
}

/// The next status update that the client sends: what it has received, and what it confirms.
fn next_report(server: &mut TcpStream) -> (u64, u64) {
    let mut report = [0; 39];
    server.read_exact(&mut report).unwrap();
    assert_eq!(report[..6], [b'd', 0, 0, 0, 38, b'r']);
    let number = |at: usize| u64::from_be_bytes(report[at..at + 8].try_into().unwrap());
    assert_eq!(number(14), number(22), "what is flushed is applied");
    (number(6), number(14))
}

#[test]
fn a_question_is_answered_while_nobody_reads_and_never_with_more_than_is_confirmed() {
    let (client, mut server) = pair();
    let mut stream = stream(client, 0, HOUR);
    let confirmed = stream.confirmed();
    // The first report comes by itself, the others only when they are asked for: the interval is an hour.
    assert_eq!(next_report(&mut server), (0, 0));
    let (mut block, mut messages) = (Vec::new(), Vec::new());
    server.write_all(&[wal(10, 7), keepalive(90, true)].concat()).unwrap();
    assert_eq!(stream.read_block(&mut block, &mut messages).unwrap(), ReadOutcome::Messages);
    // The two may have come in two parts.
    while stream.keepalive_end() != Lsn(90) {
        stream.read_block(&mut block, &mut messages).unwrap();
    }
    let (received, flushed) = next_report(&mut server);
    assert!((7..=90).contains(&received), "{received}");
    assert_eq!((flushed, stream.server_end()), (0, Lsn(90)));
    confirmed.advance(Lsn(7));
    confirmed.advance(Lsn(5));
    server.write_all(&keepalive(91, true)).unwrap();
    assert_eq!(stream.read_block(&mut block, &mut messages).unwrap(), ReadOutcome::Keepalive);
    assert_eq!(next_report(&mut server).1, 7);
    // The last word of a stream that is dropped: a report, and goodbye.
    confirmed.advance(Lsn(8));
    drop(stream);
    assert_eq!(next_report(&mut server), (91, 8));
    let mut rest = Vec::new();
    server.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"c\0\0\0\x04X\0\0\0\x04");
}
