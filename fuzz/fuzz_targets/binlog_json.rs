#![no_main]
#[path = "../checks/binlog_json.rs"]
mod binlog_json;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| binlog_json::check(bytes));
