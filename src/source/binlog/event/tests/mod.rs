//! Tests over whole events: captures of real servers, damaged captures, arbitrary bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm)]

mod capture;
mod dump;
mod gtid_sets;
mod hostile;
mod replay;
mod rules;
