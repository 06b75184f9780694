//! What each fuzz target does with its bytes. Also compiled into the plain tests, which replay `corpus/`.

pub mod binlog_event;
pub mod binlog_json;
pub mod binlog_rows;
pub mod ddl;
pub mod gtid_set;
pub mod pgoutput;
