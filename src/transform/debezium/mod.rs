//! Debezium's own transforms (`io.debezium.transforms`). One file or folder each; what several of them need to know of
//! envelopes and of Connect's structs is in [`structs`], and how JSON becomes Connect data in [`json_data`].

pub mod by_logical_table_router;
pub mod decode_logical_decoding_message_content;
pub mod event_router;
pub mod extract_new_record_state;
pub mod json_data;
pub mod overlaid;
pub mod read_to_insert_event;
pub mod schema_change_event_filter;
pub mod seldom;
pub mod structs;

#[cfg(test)]
mod testing;
