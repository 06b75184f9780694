#![no_main]
#[path = "../checks/gtid_set.rs"]
mod gtid_set;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gtid_set::check(bytes));
