#![no_main]
#[path = "../checks/binlog_rows.rs"]
mod binlog_rows;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| binlog_rows::check(bytes));
