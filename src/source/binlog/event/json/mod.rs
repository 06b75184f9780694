//! MySQL's binary JSON: to text, as Debezium's stream writes it.
//!
//! In: the bytes of a JSON cell, or a document and the differences of a partial update. Out: UTF-8 appended to a
//! buffer of the caller's. Promise: whatever the bytes, the work is bounded by their number, the depth by
//! MySQL's own limit, and what cannot be read is an error. Nothing survives a crash.
//!
//! `document` finds values, `text` writes them, `partial` applies differences.

pub mod document;
pub mod partial;
pub mod text;

pub use partial::write_updated;
pub use text::write_text;
