#![no_main]
#[path = "../checks/pgoutput.rs"]
mod pgoutput;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pgoutput::check(bytes));
