//! Debezium's own transforms (`io.debezium.transforms`). One file or folder each; what several of them need to know of
//! envelopes and of Connect's structs is in [`structs`], and how JSON becomes Connect data in [`json_data`].

pub mod by_logical_table_router;
pub mod content_based_router;
pub mod decode_logical_decoding_message_content;
pub mod enforce_record_size;
pub mod event_router;
pub mod extract_changed_record_state;
pub mod extract_new_record_state;
pub mod extract_schema_to_new_record;
pub mod filter;
pub mod geometry_format_transformer;
pub mod header_to_value;
pub mod json_data;
pub mod overlaid;
pub mod partition_routing;
pub mod read_to_insert_event;
pub mod schema_change_event_filter;
pub mod scripting;
pub mod seldom;
pub mod structs;
pub mod swap_geometry_coordinates;
pub mod timezone_converter;
pub mod vector_to_json_converter;

#[cfg(test)]
mod testing;
