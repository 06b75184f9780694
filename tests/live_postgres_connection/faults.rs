//! What a stream and a statement do when the server, the network or the consumer does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use headwater::error::Coded;
use headwater::source::line::LineError;
use headwater::source::postgres::connection::{
    Connection, ConnectionError, Doing, Purpose, ReadOutcome, ReplicationStream, SslMode, StopFlag,
};
use headwater::source::postgres::pgoutput::Message;

use crate::server::{Server, going};
use crate::stream::{PATIENCE, read_until};
use crate::support::eventually;
use crate::support::fault_proxy::FaultProxy;

/// Reads until something else than messages and signs of life comes.
fn last_word(stream: &mut ReplicationStream) -> Result<ReadOutcome, ConnectionError> {
    let (mut block, mut messages) = (Vec::new(), Vec::new());
    loop {
        match stream.read_block(&mut block, &mut messages)? {
            ReadOutcome::Messages | ReadOutcome::Keepalive => {}
            other @ (ReadOutcome::Silent(_) | ReadOutcome::End | ReadOutcome::Stopped) => return Ok(other),
        }
    }
}

/// Nobody reads for much longer than `wal_sender_timeout`, with more in the backlog than the sockets hold: the walsender
/// keeps the stream, because it hears from us.
pub fn blocked_consumer(server: &Server) {
    server.sql("ALTER ROLE cdc SET wal_sender_timeout = '4s'");
    let open = |name: &str, mode| {
        let mut request = server.table(name);
        // Longer than the server's limit: what the server says counts.
        request.status_interval = Duration::from_secs(3_600);
        server.sql(&format!("INSERT INTO {name} SELECT n, repeat('x', 1000) FROM generate_series(1, 60000) n"));
        let mut options = server.options("cdc", "cdcpw");
        options.ssl.mode = mode;
        server.stream_with(&options, &request).unwrap()
    };
    let process =
        |name: &str| server.ask(&format!("SELECT active_pid FROM pg_replication_slots WHERE slot_name = '{name}'"));
    let modes = [("blocked_plain", SslMode::Disable), ("blocked_tls", SslMode::Require)];
    let streams: Vec<_> = modes.map(|(name, mode)| (name, open(name, mode), process(name))).into();
    std::thread::sleep(Duration::from_secs(10));
    for (name, mut stream, before) in streams {
        let mut rows = 0;
        read_until(&mut stream, |_, body| {
            rows += u32::from(matches!(Message::parse(body, false).unwrap(), Message::Insert(_)));
            rows == 60_000
        });
        assert_eq!(process(name), before);
        drop(stream);
        server.drop_table(name);
    }
    server.sql("ALTER ROLE cdc RESET ALL");
}

/// Bytes stop while TCP lives: every operation ends at its deadline. A healthy server is never silent.
pub fn silent_server(server: &Server) {
    let mut request = server.table("silent_server");
    request.status_interval = Duration::from_secs(3_600);
    request.silence = Duration::from_secs(4);
    for mode in [SslMode::Disable, SslMode::Require] {
        let proxy = FaultProxy::start(&format!("127.0.0.1:{}", server.port));
        let mut options = server.options("cdc", "cdcpw");
        (options.port, options.ssl.mode) = (proxy.port, mode);
        options.query_timeout = Some(Duration::from_secs(3));
        let mut session = server.connect(&options).unwrap();
        let mut stream = eventually("the slot is free", PATIENCE, || server.stream_with(&options, &request).ok());
        let (mut block, mut messages) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            assert_eq!(stream.read_block(&mut block, &mut messages).unwrap(), ReadOutcome::Keepalive);
        }
        proxy.blackhole();
        assert_eq!(last_word(&mut stream).unwrap(), ReadOutcome::Silent(Duration::from_secs(4)));
        // Who knows that the server is only busy may go on waiting.
        assert_eq!(last_word(&mut stream).unwrap(), ReadOutcome::Silent(Duration::from_secs(4)));
        drop(stream);

        let error = session.query("SELECT 1").unwrap_err();
        assert!(
            matches!(error, ConnectionError::Line(LineError::Deadline { doing: Doing::QUERY, .. }))
                && error.is_weather(),
            "{error}"
        );
        assert!(matches!(session.query("SELECT 1"), Err(ConnectionError::GivenUp)));
        options.connect_timeout = Duration::from_millis(500);
        let error = server.connect(&options).map(|_| ()).unwrap_err();
        assert!(matches!(error, ConnectionError::Line(LineError::Deadline { .. })), "{error}");
        proxy.reset();
    }
    server.drop_table("silent_server");
}

/// Runs `work`, and sets the flag when it says that it has begun. What waits for ever would never come back.
fn stopped(work: impl FnOnce(&StopFlag, &AtomicBool) + Send) {
    let stop: StopFlag = Arc::new(AtomicBool::new(false));
    let begun = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| work(&stop, &begun));
        eventually("the work has begun", PATIENCE, || begun.load(Ordering::Relaxed).then_some(()));
        stop.store(true, Ordering::Relaxed);
        eventually("it has stopped", PATIENCE, || worker.is_finished().then_some(()));
        worker.join().unwrap();
    });
}

/// The flag ends a statement, a stream and a login that wait.
pub fn stop_flag(server: &Server) {
    let request = server.table("stop_flag");
    let mut options = server.options("cdc", "cdcpw");
    options.query_timeout = None;
    stopped(|stop, begun| {
        let mut session = Connection::connect(&options, Purpose::Sql, stop).unwrap();
        begun.store(true, Ordering::Relaxed);
        assert!(matches!(session.query("SELECT pg_sleep(600)"), Err(ConnectionError::Line(LineError::Stopped))));
    });
    stopped(|stop, begun| {
        let session = Connection::connect(&options, Purpose::Replication, stop).unwrap();
        let mut stream = session.start_replication(&request).unwrap();
        begun.store(true, Ordering::Relaxed);
        assert_eq!(last_word(&mut stream).unwrap(), ReadOutcome::Stopped);
    });
    let proxy = FaultProxy::start(&format!("127.0.0.1:{}", server.port));
    proxy.blackhole();
    options.port = proxy.port;
    options.connect_timeout = Duration::from_secs(3_600);
    for mode in [SslMode::Disable, SslMode::Require] {
        options.ssl.mode = mode;
        stopped(|stop, begun| {
            begun.store(true, Ordering::Relaxed);
            let result = Connection::connect(&options, Purpose::Sql, stop);
            assert!(matches!(result, Err(ConnectionError::Line(LineError::Stopped))));
        });
    }
    server.drop_table("stop_flag");
}

/// Sessions that the server ends, that the network resets, and a server that shuts down: weather, and everything that was
/// written before an orderly end comes before it.
pub fn ended_sessions(server: &Server) {
    let request = server.table("ended_sessions");
    let mut stream = server.stream(&request).unwrap();
    server.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'ended_sessions'");
    let error = last_word(&mut stream).unwrap_err();
    assert!(error.is_weather(), "{error}");
    println!("  {error}");

    let proxy = FaultProxy::start(&format!("127.0.0.1:{}", server.port));
    let mut options = server.options("cdc", "cdcpw");
    options.port = proxy.port;
    let mut stream = eventually("the slot is free", PATIENCE, || server.stream_with(&options, &request).ok());
    proxy.reset();
    let error = last_word(&mut stream).unwrap_err();
    assert!(error.is_weather() && matches!(error.code().number, 1204), "{error}");
    drop(stream);

    let mut stream = eventually("the slot is free", PATIENCE, || server.stream(&request).ok());
    server.sql("INSERT INTO ended_sessions SELECT n, repeat('x', 1000) FROM generate_series(1, 20000) n");
    let confirmed = stream.confirmed();
    std::thread::scope(|scope| {
        let stopping = scope.spawn(|| server.stop());
        let (mut block, mut messages, mut rows) = (Vec::new(), Vec::new(), 0);
        // The server waits until it has heard that everything was received.
        let end = loop {
            match stream.read_block(&mut block, &mut messages).unwrap() {
                ReadOutcome::Messages | ReadOutcome::Keepalive => {}
                other => break other,
            }
            for message in &messages {
                match Message::parse(message.payload(&block).unwrap(), false).unwrap() {
                    Message::Insert(_) => rows += 1,
                    Message::Commit(commit) => confirmed.advance(commit.end_lsn),
                    _ => {}
                }
            }
            confirmed.advance(stream.keepalive_end());
        };
        assert_eq!((end, rows), (ReadOutcome::End, 20_000));
        stopping.join().unwrap();
    });
    drop(stream);
    let error = Connection::connect(&server.options("cdc", "cdcpw"), Purpose::Sql, &going()).map(|_| ()).unwrap_err();
    assert!(error.is_weather(), "{error}");
    server.start_again();
    server.drop_table("ended_sessions");
}
