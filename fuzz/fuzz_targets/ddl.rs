#![no_main]
#[path = "../checks/ddl.rs"]
mod ddl;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ddl::check(bytes));
