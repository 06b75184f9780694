//! Capability flags of the handshake, by the names of the manuals.

/// Set by MySQL servers; its absence marks a MariaDB server since 10.2 (there it is called CLIENT_MYSQL).
pub const LONG_PASSWORD: u32 = 1;
/// All column flags are sent.
pub const LONG_FLAG: u32 = 1 << 2;
/// The zlib-compressed protocol.
pub const COMPRESS: u32 = 1 << 5;
/// The protocol since 4.1: SQL states, length-encoded results. Required.
pub const PROTOCOL_41: u32 = 1 << 9;
/// TLS follows the handshake.
pub const SSL: u32 = 1 << 11;
/// Status flags in OK packets.
pub const TRANSACTIONS: u32 = 1 << 13;
/// Challenge-response login. Required.
pub const SECURE_CONNECTION: u32 = 1 << 15;
/// Plugin names in the handshake.
pub const PLUGIN_AUTH: u32 = 1 << 19;
/// Key-value pairs about the client in the handshake response.
pub const CONNECT_ATTRS: u32 = 1 << 20;
/// Login data of more than 255 bytes.
pub const PLUGIN_AUTH_LENENC: u32 = 1 << 21;
/// An expired password gives a restricted session instead of a refusal.
pub const CAN_HANDLE_EXPIRED_PASSWORDS: u32 = 1 << 22;
/// No EOF packets between columns and rows.
pub const DEPRECATE_EOF: u32 = 1 << 24;
/// The zstd-compressed protocol (MySQL since 8.0.18).
pub const ZSTD_COMPRESSION: u32 = 1 << 26;
