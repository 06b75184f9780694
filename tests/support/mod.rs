//! What the tests of the whole program share: servers of their own, a network that fails on command, the binary as a
//! child process, and topics read back.
//!
//! In: the addresses in `HEADWATER_TEST_*` (`tests/stack/stack.sh addresses`). Promised: what a test starts is ended
//! when its values are dropped; waiting is polling with a deadline, and a deadline that passes says what was waited for.

#![allow(dead_code)]

pub mod broker;
pub mod connect;
pub mod connect_rest;
pub mod fault_proxy;
pub mod instance;
pub mod load;
pub mod postgres;
pub mod program;
pub mod server;
pub mod state;
pub mod topic;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// An address from the environment. `None`: the test is skipped, which is said aloud, and not allowed where `CI=true`.
pub fn address(variable: &str, test: &str) -> Option<String> {
    match std::env::var(variable) {
        Ok(address) if !address.is_empty() => Some(address),
        _ => {
            let why = format!("{variable} is not set");
            skip(test, &why);
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{test}: {why}");
            None
        }
    }
}

/// Says aloud that a test is skipped, and why.
pub fn skip(test: &str, why: &str) {
    println!("SKIPPED: {test}: {why}");
    if let Some(file) = std::env::var_os("HEADWATER_TEST_SKIPPED") {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(file).unwrap();
        writeln!(file, "{test}: {why}").unwrap();
    }
}

/// Sets a flag at the end of a scope, however it ends: what goes on until it is set would never end after a panic.
pub struct SetWhenDropped<'f>(pub &'f AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A number from the environment.
pub fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) if !text.is_empty() => text.parse().unwrap_or_else(|_| panic!("{variable}={text} is not a number")),
        _ => default,
    }
}

/// A folder of this test's own; removed when dropped.
pub fn scratch(prefix: &str) -> tempfile::TempDir {
    let base = std::env::var_os("HEADWATER_TEST_SCRATCH").map_or_else(std::env::temp_dir, PathBuf::from);
    tempfile::Builder::new().prefix(prefix).tempdir_in(base).unwrap()
}

/// A name that nobody else uses.
pub fn unique(what: &str) -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    format!("{what}_{}", &id[..10])
}

/// A free port below the kernel's range for outgoing connections, with the one behind it free too.
pub fn free_port() -> u16 {
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    (0..1_000)
        .map(|_| fastrand::u16(20_000..32_000))
        .find(|port| is_free(*port) && is_free(*port + 1))
        .expect("no free port")
}

/// Asks until there is an answer.
pub fn eventually<T>(what: &str, within: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs a script of `tests/stack`, quietly; its words are shown when it fails.
pub fn stack_script(script: &str, arguments: &[&str], environment: &[(&str, String)]) {
    if let Err(said) = try_stack_script(script, arguments, environment) {
        panic!("{script} {arguments:?}: {said}");
    }
}

/// Runs a script of `tests/stack`, quietly; its words are the error.
pub fn try_stack_script(script: &str, arguments: &[&str], environment: &[(&str, String)]) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack").join(script);
    // Its output goes to a file: a server that it starts keeps a pipe open for ever.
    let output = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new(path);
    command.args(arguments).stdin(Stdio::null());
    command.stdout(output.reopen().unwrap()).stderr(output.reopen().unwrap());
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    let status = command.status().unwrap();
    if status.success() { Ok(()) } else { Err(std::fs::read_to_string(output.path()).unwrap_or_default()) }
}
