//! Debezium's own transforms (`io.debezium.transforms`). One file or folder each; what several of them need to know of
//! envelopes and of Connect's structs is in [`structs`], and how JSON becomes Connect data in [`json_data`].

pub mod decode_logical_decoding_message_content;
pub mod event_router;
pub mod extract_new_record_state;
pub mod json_data;
pub mod seldom;
pub mod structs;

#[cfg(test)]
mod testing;
