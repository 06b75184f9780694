//! What a connection does when the server or the network does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use headwater::source::binlog::connection::{
    Connection, ConnectionError, Doing, DumpRequest, ReadOutcome, SslMode, StopFlag,
};
use headwater::source::line::LineError;

use crate::binlog::{file, open};
use crate::server::Server;

/// KILL of a session and of a dump: weather.
pub fn killed_session(server: &Server) {
    for mode in [SslMode::Disabled, SslMode::Required] {
        let mut options = server.options("cdc", "cdcpw");
        options.ssl.mode = mode;
        let mut session = server.connect(&options).unwrap();
        server.sql(&format!("KILL {}", session.server().connection_id));
        let error = session.query("SELECT 1").unwrap_err();
        assert!(error.is_weather(), "{error}");
        println!("  {mode:?}: {error}");

        let mut stream = open(server, &options, file("", 4), |_| {}).unwrap();
        server.sql(&format!("KILL {}", stream.server().connection_id));
        let error = read_until_error(&mut stream).unwrap_err();
        assert!(error.is_weather(), "{error}");
        println!("  {mode:?}: {error}");
    }
}

fn read_until_error(
    stream: &mut headwater::source::binlog::connection::BinlogStream,
) -> Result<ReadOutcome, ConnectionError> {
    let (mut block, mut packets) = (Vec::new(), Vec::new());
    loop {
        match stream.read_block(&mut block, &mut packets)? {
            ReadOutcome::Events => {}
            other @ (ReadOutcome::Silent(_) | ReadOutcome::End | ReadOutcome::Stopped) => return Ok(other),
        }
    }
}

/// Runs `work`, sets the flag after 300 ms, and asserts that `work` ended soon behind it.
fn stopped(work: impl FnOnce(&StopFlag) + Send) {
    let stop: StopFlag = Arc::new(AtomicBool::new(false));
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            work(&stop);
            Instant::now()
        });
        std::thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
        let set = Instant::now();
        let took = worker.join().unwrap().saturating_duration_since(set);
        assert!(took < Duration::from_millis(400), "stopped after {took:?}");
    });
}

/// The flag ends a statement and a stream that wait.
pub fn stop_flag(server: &Server) {
    let options = server.options("cdc", "cdcpw");
    stopped(|stop| {
        let mut session = Connection::connect(&options, stop).unwrap();
        assert!(matches!(session.query("SELECT SLEEP(30)"), Err(ConnectionError::Line(LineError::Stopped))));
    });
    stopped(|stop| {
        let session = Connection::connect(&options, stop).unwrap();
        let mut stream = session.into_binlog_stream(DumpRequest::new(file("", 4), 50_298)).unwrap();
        assert_eq!(read_until_error(&mut stream).unwrap(), ReadOutcome::Stopped);
    });
}

/// A server that hangs while its TCP connections live: every operation ends at its deadline.
pub fn frozen_server(server: &Server) {
    for mode in [SslMode::Disabled, SslMode::Required] {
        let mut options = server.options("cdc", "cdcpw");
        options.ssl.mode = mode;
        options.query_timeout = Some(Duration::from_millis(500));
        let mut session = server.connect(&options).unwrap();
        let mut stream = open(server, &options, file("", 4), |request| {
            request.heartbeat_period = Duration::from_millis(100);
            request.silence = Duration::from_millis(600);
        })
        .unwrap();
        let (mut block, mut packets) = (Vec::new(), Vec::new());
        assert_eq!(stream.read_block(&mut block, &mut packets).unwrap(), ReadOutcome::Events);

        server.freeze();
        let frozen = Instant::now();
        let silent = read_until_error(&mut stream).unwrap();
        assert_eq!(silent, ReadOutcome::Silent(Duration::from_millis(600)));
        assert!(frozen.elapsed() < Duration::from_secs(3), "silence noticed after {:?}", frozen.elapsed());
        assert!(matches!(stream.read_block(&mut block, &mut packets), Err(ConnectionError::GivenUp)));

        let error = session.query("SELECT 1").unwrap_err();
        assert!(
            matches!(error, ConnectionError::Line(LineError::Deadline { doing: Doing::QUERY, .. }))
                && error.is_weather(),
            "{error}"
        );
        assert!(matches!(session.query("SELECT 1"), Err(ConnectionError::GivenUp)));
        options.connect_timeout = Duration::from_millis(500);
        let error = server.connect(&options).map(|_| ()).unwrap_err();
        assert!(matches!(error, ConnectionError::Line(LineError::Deadline { doing: Doing::GREETING, .. })), "{error}");
        stopped(|stop| {
            let mut slow = options.clone();
            slow.connect_timeout = Duration::from_secs(30);
            assert!(matches!(Connection::connect(&slow, stop), Err(ConnectionError::Line(LineError::Stopped))));
        });
        server.thaw();
        server.sql("SELECT 1");
    }
}

/// kill -9 under a stream: weather, and the server can be reached again.
pub fn crashed_server(server: &Server) {
    let options = server.options("cdc", "cdcpw");
    let mut stream = open(server, &options, file("", 4), |_| {}).unwrap();
    let mut session = server.connect(&options).unwrap();
    server.kill();
    let error = read_until_error(&mut stream).unwrap_err();
    assert!(error.is_weather(), "{error}");
    let error = session.query("SELECT 1").unwrap_err();
    assert!(error.is_weather(), "{error}");
    let error = server.connect(&options).map(|_| ()).unwrap_err();
    assert!(error.is_weather(), "{error}");
    server.start_again();
    server.sql("SELECT 1");
}
