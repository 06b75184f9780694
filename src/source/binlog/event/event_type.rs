//! The type byte of every event that MySQL and MariaDB define.
//!
//! Source: MySQL `binlog_event.h` (`Log_event_type`), MariaDB `log_event.h`; MariaDB's own begin at 160.

#![allow(missing_docs)]

pub const START_EVENT_V3: u8 = 1;
pub const QUERY_EVENT: u8 = 2;
pub const STOP_EVENT: u8 = 3;
pub const ROTATE_EVENT: u8 = 4;
pub const INTVAR_EVENT: u8 = 5;
pub const LOAD_EVENT: u8 = 6;
pub const SLAVE_EVENT: u8 = 7;
pub const CREATE_FILE_EVENT: u8 = 8;
pub const APPEND_BLOCK_EVENT: u8 = 9;
pub const EXEC_LOAD_EVENT: u8 = 10;
pub const DELETE_FILE_EVENT: u8 = 11;
pub const NEW_LOAD_EVENT: u8 = 12;
pub const RAND_EVENT: u8 = 13;
pub const USER_VAR_EVENT: u8 = 14;
pub const FORMAT_DESCRIPTION_EVENT: u8 = 15;
pub const XID_EVENT: u8 = 16;
pub const BEGIN_LOAD_QUERY_EVENT: u8 = 17;
pub const EXECUTE_LOAD_QUERY_EVENT: u8 = 18;
pub const TABLE_MAP_EVENT: u8 = 19;
pub const WRITE_ROWS_EVENT_V1: u8 = 23;
pub const UPDATE_ROWS_EVENT_V1: u8 = 24;
pub const DELETE_ROWS_EVENT_V1: u8 = 25;
pub const INCIDENT_EVENT: u8 = 26;
pub const HEARTBEAT_EVENT: u8 = 27;
pub const IGNORABLE_EVENT: u8 = 28;
pub const ROWS_QUERY_EVENT: u8 = 29;
pub const WRITE_ROWS_EVENT: u8 = 30;
pub const UPDATE_ROWS_EVENT: u8 = 31;
pub const DELETE_ROWS_EVENT: u8 = 32;
pub const GTID_EVENT: u8 = 33;
pub const ANONYMOUS_GTID_EVENT: u8 = 34;
pub const PREVIOUS_GTIDS_EVENT: u8 = 35;
pub const TRANSACTION_CONTEXT_EVENT: u8 = 36;
pub const VIEW_CHANGE_EVENT: u8 = 37;
pub const XA_PREPARE_EVENT: u8 = 38;
pub const PARTIAL_UPDATE_ROWS_EVENT: u8 = 39;
pub const TRANSACTION_PAYLOAD_EVENT: u8 = 40;
pub const HEARTBEAT_EVENT_V2: u8 = 41;
pub const GTID_TAGGED_EVENT: u8 = 42;

pub const MARIADB_ANNOTATE_ROWS_EVENT: u8 = 160;
pub const MARIADB_BINLOG_CHECKPOINT_EVENT: u8 = 161;
pub const MARIADB_GTID_EVENT: u8 = 162;
pub const MARIADB_GTID_LIST_EVENT: u8 = 163;
pub const MARIADB_START_ENCRYPTION_EVENT: u8 = 164;
pub const MARIADB_QUERY_COMPRESSED_EVENT: u8 = 165;
pub const MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1: u8 = 166;
pub const MARIADB_UPDATE_ROWS_COMPRESSED_EVENT_V1: u8 = 167;
pub const MARIADB_DELETE_ROWS_COMPRESSED_EVENT_V1: u8 = 168;
pub const MARIADB_WRITE_ROWS_COMPRESSED_EVENT: u8 = 169;
pub const MARIADB_UPDATE_ROWS_COMPRESSED_EVENT: u8 = 170;
pub const MARIADB_DELETE_ROWS_COMPRESSED_EVENT: u8 = 171;
/// A piece of a rows event that was too large for a packet (MariaDB 12.3, MDEV-32570).
pub const MARIADB_PARTIAL_ROW_DATA_EVENT: u8 = 172;
