//! The binlog: the bytes of the server's own files, by file and by GTID, the tail, and refusals.

use std::time::{Duration, Instant};

use headwater::error::Coded;
use headwater::source::binlog::connection::{
    BinlogStream, Compression, ConnectOptions, ConnectionError, DumpFrom, DumpRequest, Flavor, ReadOutcome, SslMode,
};

use crate::server::Server;

/// Bytes of an event's header; its fields by their place in it.
const EVENT_HEADER_BYTES: usize = 19;
const ROTATE: u8 = 4;
const FORMAT_DESCRIPTION: u8 = 15;
const HEARTBEAT: u8 = 27;
/// MariaDB: the state at the beginning of a file, and what a recovery needs; those a client by GTID does not.
const GTID_LIST: u8 = 163;
const CHECKPOINT: u8 = 161;
/// The server made the event up: it is in no file.
const ARTIFICIAL: u16 = 0x20;

fn event_type(event: &[u8]) -> u8 {
    event[4]
}

/// The position in an event's header does not tell: MariaDB since 11.4 writes zero there inside transactions.
fn is_artificial(event: &[u8]) -> bool {
    let flags = u16::from_le_bytes([event[17], event[18]]);
    flags & ARTIFICIAL != 0 || event_type(event) == HEARTBEAT
}

/// Server ids of our streams: a new one each time, so that no stream ends another.
fn next_server_id() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(50_300);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub fn open(
    server: &Server,
    options: &ConnectOptions,
    from: DumpFrom,
    change: impl FnOnce(&mut DumpRequest),
) -> Result<BinlogStream, ConnectionError> {
    let mut request = DumpRequest::new(from, next_server_id());
    change(&mut request);
    server.connect(options)?.into_binlog_stream(request)
}

pub fn file(name: &str, position: u64) -> DumpFrom {
    DumpFrom::File { file: name.to_owned(), position }
}

/// Reads to the end, or to the server's refusal.
fn read_all(mut stream: BinlogStream) -> Result<Vec<Vec<u8>>, ConnectionError> {
    let (mut block, mut packets, mut events) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match stream.read_block(&mut block, &mut packets)? {
            ReadOutcome::Events => {
                assert!(!packets.is_empty());
                for range in &packets {
                    let event = range.of(&block).unwrap();
                    assert_eq!(event_length(event), event.len(), "the event's own length");
                    events.push(event.to_vec());
                }
            }
            ReadOutcome::End => return Ok(events),
            outcome @ (ReadOutcome::Silent(_) | ReadOutcome::Stopped) => panic!("{outcome:?}"),
        }
    }
}

fn binlogs(server: &Server) -> Vec<String> {
    let logs = server.sql("SHOW BINARY LOGS");
    logs.rows.iter().map(|row| logs.text(row, "Log_name").unwrap()).collect()
}

/// Small transactions, rows around the 16 MiB of a packet, a row of 40 MiB, a rotation.
fn write_history(server: &Server) {
    let mut root = server.root();
    for statement in [
        "CREATE DATABASE IF NOT EXISTS connection",
        "CREATE TABLE connection.history (id int auto_increment primary key, text varchar(100), data longblob)",
    ] {
        root.query_drop(statement).unwrap();
    }
    for index in 0..2_000 {
        let insert = format!("INSERT INTO connection.history (text) VALUES (REPEAT('t', {}))", index % 100);
        root.query_drop(&insert).unwrap();
    }
    for length in [300_000, 0xff_ffff - 60, 0xff_ffff, 40 << 20] {
        let insert = format!("INSERT INTO connection.history (data) VALUES (REPEAT('d', {length}))");
        root.query_drop(&insert).unwrap();
    }
    root.query_drop("FLUSH BINARY LOGS").unwrap();
    root.query_drop("INSERT INTO connection.history (text) VALUES ('last')").unwrap();
}

/// The one row event whose packet is filled to the byte, so that an empty packet must follow it.
fn write_exact_packet(server: &Server) {
    let mut root = server.root();
    let insert = |length: usize| format!("INSERT INTO connection.history (data) VALUES (REPEAT('e', {length}))");
    let before = binlogs(server).pop().unwrap();
    root.query_drop(&insert(16_000_000)).unwrap();
    let events =
        read_all(open(server, &server.options("cdc", "cdcpw"), file(&before, 4), |r| r.non_block = true).unwrap());
    let longest = events.unwrap().iter().map(Vec::len).max().unwrap();
    // One byte of the payload is the status before the event.
    root.query_drop(&insert(0xff_ffff - 1 - (longest - 16_000_000))).unwrap();
    let events =
        read_all(open(server, &server.options("cdc", "cdcpw"), file(&before, 4), |r| r.non_block = true).unwrap());
    assert!(events.unwrap().iter().any(|event| event.len() == 0xff_ffff - 1));
}

/// The length that an event's header gives.
fn event_length(event: &[u8]) -> usize {
    u32::from_le_bytes([event[9], event[10], event[11], event[12]]) as usize
}

/// Asserts that the events are those of the files, byte by byte, in order, none missing and none twice, but for the
/// types in `apart`.
fn assert_as_in_files(server: &Server, events: &[Vec<u8>], apart: &[u8], what: &str) {
    let compared = |event: &[u8]| !is_artificial(event) && !apart.contains(&event_type(event));
    let mut sent = events.iter().filter(|event| compared(event));
    for name in binlogs(server) {
        let bytes = std::fs::read(server.data().join(&name)).unwrap();
        let mut at = 4;
        while at < bytes.len() {
            let stored = &bytes[at..at + event_length(&bytes[at..])];
            if compared(stored) {
                let event = sent.next().unwrap_or_else(|| panic!("{what}: nothing for {name}:{at}"));
                let differs = event.iter().zip(stored).position(|(left, right)| left != right);
                let kind = event_type(stored);
                assert_eq!((differs, event.len()), (None, stored.len()), "{what}: event of type {kind} at {name}:{at}");
            }
            at += stored.len();
        }
    }
    assert!(sent.next().is_none(), "{what}: more events than in the files");
}

/// Every event of every file, over every kind of line, in blocks of several sizes.
pub fn bytes_as_in_the_file(server: &Server) {
    write_history(server);
    write_exact_packet(server);
    let first = binlogs(server).remove(0);
    for (mode, compression, block_bytes) in [
        (SslMode::Disabled, Compression::None, DumpRequest::BLOCK_BYTES),
        (SslMode::Disabled, Compression::None, 0),
        (SslMode::Disabled, Compression::None, 1 << 30),
        (SslMode::Disabled, Compression::Zlib, DumpRequest::BLOCK_BYTES),
        (SslMode::Disabled, Compression::Zstd, DumpRequest::BLOCK_BYTES),
        (SslMode::Required, Compression::None, DumpRequest::BLOCK_BYTES),
        (SslMode::Required, Compression::Zlib, 0),
    ] {
        let mut options = server.options("cdc", "cdcpw");
        options.ssl.mode = mode;
        options.compression = compression;
        // Without a name the server begins with its oldest file.
        let from = if block_bytes == 0 { "" } else { first.as_str() };
        let stream = open(server, &options, file(from, 4), |request| {
            request.non_block = true;
            request.block_bytes = block_bytes;
        });
        let events = read_all(stream.unwrap()).unwrap();
        let what = format!("{mode:?} {compression:?} {block_bytes}");
        assert_eq!(event_type(&events[0]), ROTATE, "{what}: a stream begins with the name of its file");
        assert!(events[0].len() > EVENT_HEADER_BYTES);
        // The server changes flags and times of the description of a file that it still writes.
        assert_as_in_files(server, &events, &[FORMAT_DESCRIPTION], &what);
    }
}

/// The whole history behind an empty set, and nothing behind the server's own.
pub fn by_gtid(server: &Server) {
    let options = server.options("cdc", "cdcpw");
    let from = match server.flavor {
        // No source ids: the set's count of them, eight bytes, is zero.
        Flavor::MySql => DumpFrom::MySqlGtid { set: vec![0; 8] },
        Flavor::MariaDb => DumpFrom::MariaDbGtid { connect_state: String::new(), strict_mode: true },
    };
    let events = read_all(open(server, &options, from, |request| request.non_block = true).unwrap()).unwrap();
    assert_as_in_files(server, &events, &[FORMAT_DESCRIPTION, GTID_LIST, CHECKPOINT], "empty GTID set");
    if server.flavor == Flavor::MariaDb {
        let now = server.sql("SELECT @@global.gtid_binlog_pos AS position").first("position").unwrap();
        let from = DumpFrom::MariaDbGtid { connect_state: now, strict_mode: true };
        let events = read_all(open(server, &options, from, |request| request.non_block = true).unwrap()).unwrap();
        assert!(events.len() < 10, "{}", events.len());
    }
}

/// A change arrives at once; heartbeats come at the period asked for; silence is measured from the last byte.
pub fn tail_and_heartbeat(server: &Server) {
    let options = server.options("cdc", "cdcpw");
    let last = binlogs(server).pop().unwrap();
    let mut stream = open(server, &options, file(&last, 4), |request| {
        request.heartbeat_period = Duration::from_millis(200);
        request.silence = Duration::from_secs(20);
    })
    .unwrap();
    let (mut block, mut packets) = (Vec::new(), Vec::new());
    let mut until = |wanted: &dyn Fn(&[u8]) -> bool| {
        let started = Instant::now();
        loop {
            assert_eq!(stream.read_block(&mut block, &mut packets).unwrap(), ReadOutcome::Events);
            if packets.iter().any(|range| wanted(range.of(&block).unwrap())) {
                return started.elapsed();
            }
            assert!(started.elapsed() < Duration::from_secs(20));
        }
    };
    until(&|event| event_type(event) == HEARTBEAT);
    let period = until(&|event| event_type(event) == HEARTBEAT);
    assert!(period < Duration::from_secs(2), "a heartbeat after {period:?}");
    let mut root = server.root();
    for marker in ["first marker", "second marker"] {
        root.query_drop(&format!("INSERT INTO connection.history (text) VALUES ('{marker}')")).unwrap();
        let took = until(&|event| event.windows(marker.len()).any(|window| window == marker.as_bytes()));
        println!("  {marker} after {took:.1?}");
    }
}

fn refused(server: &Server, user: &str, from: DumpFrom, number: u16) {
    let error = open(server, &server.options(user, &format!("{user}pw")), from, |_| {}).and_then(read_all).unwrap_err();
    println!("  {error}");
    assert_eq!(error.code().number, number, "{error}");
    assert!(!error.is_weather());
}

/// What a server answers to requests that it cannot serve.
pub fn refusals(server: &Server) {
    refused(server, "cdc", file("binlog.999999", 4), 240);
    let last = binlogs(server).pop().unwrap();
    refused(server, "cdc", file(&last, 1 << 31), 242);
    let mut root = server.root();
    root.query_drop("CREATE USER plain@'%' IDENTIFIED BY 'plainpw'").unwrap();
    refused(server, "plain", file(&last, 4), 224);
    let ahead = match server.flavor {
        Flavor::MySql => {
            let uuid = server.sql("SELECT @@server_uuid AS uuid").first("uuid").unwrap().replace('-', "");
            let bytes = (0..16).map(|at| u8::from_str_radix(&uuid[2 * at..2 * at + 2], 16).unwrap());
            let mut set = vec![1, 0, 0, 0, 0, 0, 0, 0];
            set.extend(bytes);
            for number in [1_u64, 1, 1 << 40] {
                set.extend(number.to_le_bytes());
            }
            DumpFrom::MySqlGtid { set }
        }
        Flavor::MariaDb => DumpFrom::MariaDbGtid { connect_state: "0-1-999999999".to_owned(), strict_mode: true },
    };
    refused(server, "cdc", ahead, 241);

    // A second client under the same id ends the first.
    let first = open(server, &server.options("cdc", "cdcpw"), file(&last, 4), |request| {
        request.server_id = 50_299;
        request.replica_uuid = Some("00000000-0000-0000-0000-000000050299".to_owned());
    });
    let second = open(server, &server.options("cdc", "cdcpw"), file(&last, 4), |request| {
        request.server_id = 50_299;
        request.replica_uuid = Some("00000000-0000-0000-0000-000000050299".to_owned());
    });
    let error = read_all(first.unwrap()).unwrap_err();
    println!("  {error}");
    // MariaDB closes the older stream without a word: weather, which the newer one will not let through.
    assert!(matches!(error.code().number, 243 | 214), "{error}");
    drop(second.unwrap());

    root.query_drop("FLUSH BINARY LOGS").unwrap();
    let last = binlogs(server).pop().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while binlogs(server).len() > 1 {
        assert!(Instant::now() < deadline, "the binlogs cannot be purged");
        // A dump whose client has left holds its file until the server notices. One that has only just begun is not
        // in the list yet, and one in the list may have ended by itself.
        let dumps =
            root.query("SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'").unwrap();
        for dump in &dumps.rows {
            let _ = root.query_drop(&format!("KILL {}", dumps.text(dump, "id").unwrap()));
        }
        root.query_drop(&format!("PURGE BINARY LOGS TO '{last}'")).unwrap();
    }
    refused(server, "cdc", file("binlog.000001", 4), 240);
    let from = match server.flavor {
        Flavor::MySql => DumpFrom::MySqlGtid { set: vec![0; 8] },
        Flavor::MariaDb => DumpFrom::MariaDbGtid { connect_state: String::new(), strict_mode: true },
    };
    refused(server, "cdc", from, 240);
}
