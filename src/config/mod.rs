//! The `config` room: what people wrote, read and checked.
//!
//! In: connector files, a worker's properties, the environment. Out: [`connector::ConnectorConfig`] and
//! [`worker::WorkerConfig`], typed, with warnings beside them. Promised: everything wrong is reported at
//! once and before anything starts; every option that Debezium and Connect know is known here and either
//! works, is said to change nothing, or is refused; no secret is ever printed. Nothing here survives a crash
//! or needs to: a configuration is read again.
//!
//! ```text
//!  file ──source_file──▶ names and texts ──provider──▶ resolved ──names──▶ today's names
//!                                                                             │
//!                              option tables ──────check──────────────────────▼
//!                                   └──▶ reference.md          connector, worker (typed)
//! ```

pub mod connector;
mod environment;
pub mod error;
mod json_file;
pub mod judgement;
mod names;
pub mod option;
mod options;
pub mod properties;
pub mod provider;
pub mod reference;
pub mod rest_access;
pub mod secret;
mod settings;
pub mod source_file;
mod suggest;
pub mod worker;
mod yaml_file;

pub use error::{ConfigError, Warning, WarningKind};
pub use secret::{ClientProperties, Secret};
