#![no_main]
#[path = "../checks/binlog_event.rs"]
mod binlog_event;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| binlog_event::check(bytes));
