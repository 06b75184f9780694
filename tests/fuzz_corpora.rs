//! Promise: every input that a fuzz target was given, or once fell over, passes as a plain test.
//! The inputs are in `fuzz/corpus/TARGET/`; one that fell over is named after its bug.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::disallowed_methods
)]

#[path = "../fuzz/checks/mod.rs"]
mod checks;

fn check(target: &str, check: fn(&[u8])) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs = 0;
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        println!("{}", path.display()); // shown when it fails
        check(&bytes);
        for length in 0..bytes.len() {
            check(&bytes[..length]);
        }
        inputs += 1;
    }
    assert!(inputs > 0, "{} is empty", folder.display());
}

#[test]
fn binlog_event() {
    check("binlog_event", checks::binlog_event::check);
}

#[test]
fn binlog_rows() {
    check("binlog_rows", checks::binlog_rows::check);
}

#[test]
fn binlog_json() {
    check("binlog_json", checks::binlog_json::check);
}

#[test]
fn gtid_set() {
    check("gtid_set", checks::gtid_set::check);
}

#[test]
fn ddl() {
    check("ddl", checks::ddl::check);
}

#[test]
fn pgoutput() {
    check("pgoutput", checks::pgoutput::check);
}
