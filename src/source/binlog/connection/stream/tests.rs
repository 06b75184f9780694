//! The stream against a scripted server on loopback: what real servers do only when they break.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, channel};

use super::super::super::wire::packet::put_packet;
use super::super::DumpFrom;
use super::super::server::Flavor;
use super::*;
use crate::error::Coded;
use crate::source::line::Line;

/// What the server does next.
#[derive(Clone)]
enum Act {
    /// Sends bytes in one write.
    Send(Vec<u8>),
    /// Waits until the client has been given events.
    Await,
    /// Keeps the connection open and says nothing.
    Hang,
}

/// Plays the script on a thread of its own, then closes.
fn stream(script: Vec<Act>, block_bytes: usize, given: Receiver<()>) -> BinlogStream {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    client.set_nonblocking(true).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    server.set_nodelay(true).unwrap();
    std::thread::spawn(move || {
        for act in script {
            match act {
                // The client may have left in the midst of it.
                Act::Send(bytes) => drop(server.write_all(&bytes)),
                Act::Await => drop(given.recv()),
                Act::Hang => while given.recv().is_ok() {},
            }
        }
    });
    let stop: StopFlag = Arc::new(AtomicBool::new(false));
    let info = ServerInfo {
        version_text: String::new(),
        flavor: Flavor::MySql,
        version: (8, 0, 0),
        connection_id: 1,
        tls: None,
        compressed: false,
    };
    let mut request = DumpRequest::new(DumpFrom::File { file: String::new(), position: 4 }, 1);
    request.block_bytes = block_bytes;
    request.silence = Duration::from_millis(300);
    BinlogStream::new(Conversation::new(Line::Plain(client), stop), info, "cdc".to_owned(), &request)
}

/// Packets of these payloads, from sequence number 0 on.
fn packets(payloads: &[Vec<u8>]) -> Vec<u8> {
    let (mut out, mut sequence) = (Vec::new(), 0);
    for payload in payloads {
        put_packet(&mut out, payload, &mut sequence);
    }
    out
}

/// An event's packet: the status byte and `length` bytes.
fn event(length: usize, fill: u8) -> Vec<u8> {
    let mut payload = vec![fill; length + 1];
    payload[0] = 0;
    payload
}

/// Plays the script and gives lengths and first bytes of the events, and the last outcome: `Err` by its code.
fn play(script: Vec<Act>, block_bytes: usize) -> (Vec<(usize, u8)>, Result<ReadOutcome, u16>) {
    let (sender, given) = channel();
    let mut stream = stream(script, block_bytes, given);
    let (mut block, mut ranges, mut events) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match stream.read_block(&mut block, &mut ranges) {
            Ok(ReadOutcome::Events) => {
                assert!(!ranges.is_empty());
                for range in &ranges {
                    let event = range.of(&block).unwrap();
                    assert!(event.iter().all(|byte| *byte == event[0]), "an event is mixed with another");
                    events.push((event.len(), event[0]));
                }
                let _ = sender.send(());
            }
            last => {
                assert!(matches!(stream.read_block(&mut block, &mut ranges), Err(ConnectionError::GivenUp)));
                return (events, last.map_err(|error| error.code().number));
            }
        }
    }
}

fn check(script: Vec<Act>, events: &[(usize, u8)], last: Result<ReadOutcome, u16>) {
    for block_bytes in [0, DumpRequest::BLOCK_BYTES] {
        assert_eq!(play(script.clone(), block_bytes), (events.to_vec(), last));
    }
}

const CLOSED: Result<ReadOutcome, u16> = Err(214);
const MALFORMED: Result<ReadOutcome, u16> = Err(200);

#[test]
fn events_before_the_last_word_are_given_before_it() {
    let error = b"\xff\xd4\x04#HY000Could not find first log file name in binary log index file".to_vec();
    check(vec![Act::Send(packets(&[event(30, 1), event(40, 2), error]))], &[(30, 1), (40, 2)], Err(240));
    check(vec![Act::Send(packets(&[event(30, 1), vec![0xfe, 0, 0, 0, 0]]))], &[(30, 1)], Ok(ReadOutcome::End));
    check(vec![Act::Send(packets(&[event(30, 1)]))], &[(30, 1)], CLOSED);
    let mut cut = packets(&[event(30, 1), event(50, 2)]);
    cut.truncate(60);
    check(vec![Act::Send(cut)], &[(30, 1)], CLOSED);
}

#[test]
fn bytes_that_are_no_stream_are_errors() {
    check(vec![Act::Send(packets(&[event(30, 1), vec![7, 7]]))], &[(30, 1)], MALFORMED);
    check(vec![Act::Send(packets(&[event(30, 1), Vec::new()]))], &[(30, 1)], MALFORMED);
    check(vec![Act::Send(vec![5, 0, 0, 9, 0, 1, 1, 1, 1])], &[], Err(201));
    // Its length is not waited for: its number is wrong.
    check(vec![Act::Send(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())], &[], Err(201));
    // An error packet cut short still ends the stream.
    check(vec![Act::Send(packets(&[vec![0xff, 1]]))], &[], MALFORMED);
}

#[test]
fn silence_is_told_from_a_slow_line() {
    let bytes = packets(&[event(30, 1), event(5_000, 2)]);
    let mut script: Vec<Act> = bytes.chunks(700).map(|part| Act::Send(part.to_vec())).collect();
    script.push(Act::Hang);
    check(script, &[(30, 1), (5_000, 2)], Ok(ReadOutcome::Silent(Duration::from_millis(300))));
    let cut = bytes[..4_000].to_vec();
    check(vec![Act::Send(cut), Act::Hang], &[(30, 1)], Ok(ReadOutcome::Silent(Duration::from_millis(300))));
}

#[test]
fn an_event_leaves_at_once_when_the_line_is_dry() {
    // The second event is only sent when the first has been given.
    let bytes = packets(&[event(30, 1), event(40, 2)]);
    let (first, second) = bytes.split_at(35);
    let script = vec![Act::Send(first.to_vec()), Act::Await, Act::Send(second.to_vec())];
    check(script, &[(30, 1), (40, 2)], CLOSED);
    // And when half of the next one has come with it.
    let (first, second) = bytes.split_at(50);
    check(vec![Act::Send(first.to_vec()), Act::Await, Act::Send(second.to_vec())], &[(30, 1), (40, 2)], CLOSED);
}

#[test]
fn events_of_every_length_around_a_block_and_a_packet_arrive_whole() {
    let block = DumpRequest::BLOCK_BYTES;
    let mut lengths = vec![0, 1, 4_000, 4_090, 4_091, 4_092, 4_096, 8_192, 100_000];
    lengths.extend([block - 6, block - 5, block - 4, block - 1, block, block + 1, 3 * block]);
    lengths.extend([FULL_PAYLOAD_BYTES - 2, FULL_PAYLOAD_BYTES - 1, FULL_PAYLOAD_BYTES, 3 * FULL_PAYLOAD_BYTES + 5]);
    lengths.extend([17, 100]);
    let payloads: Vec<Vec<u8>> = lengths.iter().map(|length| event((*length).max(1), *length as u8 | 1)).collect();
    let expected: Vec<(usize, u8)> = lengths.iter().map(|length| ((*length).max(1), *length as u8 | 1)).collect();
    check(vec![Act::Send(packets(&payloads))], &expected, CLOSED);
}

#[test]
fn a_block_that_held_a_giant_gives_its_memory_back() {
    let (sender, given) = channel();
    let script = vec![Act::Send(packets(&[event(20 << 20, 1)])), Act::Await, Act::Send(vec![2, 0, 0, 2, 0, 1])];
    let mut stream = stream(script, DumpRequest::BLOCK_BYTES, given);
    let (mut block, mut ranges) = (Vec::new(), Vec::new());
    assert_eq!(stream.read_block(&mut block, &mut ranges).unwrap(), ReadOutcome::Events);
    assert!(block.capacity() >= 20 << 20);
    sender.send(()).unwrap();
    assert_eq!(stream.read_block(&mut block, &mut ranges).unwrap(), ReadOutcome::Events);
    assert!(block.capacity() <= 4 * DumpRequest::BLOCK_BYTES, "{}", block.capacity());
}

#[test]
fn a_continued_packet_that_is_cut_or_renumbered_is_an_error() {
    let mut bytes = packets(&[event(FULL_PAYLOAD_BYTES + 100, 1)]);
    let second_header = HEADER_BYTES + FULL_PAYLOAD_BYTES;
    assert_eq!(bytes[second_header + 3], 1);
    bytes[second_header + 3] = 9;
    check(vec![Act::Send(bytes.clone())], &[], Err(201));
    bytes[second_header + 3] = 1;
    bytes.truncate(second_header + 50);
    check(vec![Act::Send(bytes.clone())], &[], CLOSED);
    check(vec![Act::Send(bytes), Act::Hang], &[], Ok(ReadOutcome::Silent(Duration::from_millis(300))));
}
