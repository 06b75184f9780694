//! The greeting of the server, the request for TLS, and the client's answer.
//!
//! In: the server's first packet. Out: what it can do and the login challenge; the payloads of the client's
//! two answers. Source: MySQL internals manual, "Protocol::HandshakeV10", "SSLRequest",
//! "HandshakeResponse41"; MariaDB knowledge base, "Connection".

use super::WireError;
use super::capability;
use super::read::{Reader, put_length, put_nul_string, put_string};

/// Collation `utf8mb4_general_ci`: known to every server since 5.5.
const UTF8MB4_GENERAL_CI: u8 = 45;
/// The longest packet that we accept in one piece.
const MAX_PACKET_BYTES: u32 = 1 << 30;

/// The server's greeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// As the server prints it, for example `5.5.5-10.11.19-MariaDB-log`.
    pub version: String,
    /// The server's number of this connection (`KILL` takes it).
    pub connection_id: u32,
    /// Capability flags of the server.
    pub capabilities: u32,
    /// The challenge, without its closing zero byte.
    pub challenge: Vec<u8>,
    /// The login plugin that the server would like; empty where it names none.
    pub auth_plugin: String,
}

/// Reads the greeting. An ERR packet in its place must be told apart before.
pub fn parse_handshake(payload: &[u8]) -> Result<Handshake, WireError> {
    let mut reader = Reader::new("server greeting", payload);
    let version = reader.u8("protocol version")?;
    if version != 10 {
        return Err(WireError::ProtocolVersion(version));
    }
    let version = String::from_utf8_lossy(reader.until_nul("server version")?).into_owned();
    let connection_id = reader.u32("connection id")?;
    let mut challenge = reader.take(8, "challenge")?.to_vec();
    reader.u8("filler")?;
    let mut capabilities = u32::from(reader.u16("capabilities")?);
    let mut auth_plugin = String::new();
    if !reader.is_empty() {
        reader.u8("collation")?;
        reader.u16("status flags")?;
        capabilities |= u32::from(reader.u16("capabilities")?) << 16;
        let challenge_length = usize::from(reader.u8("challenge length")?);
        reader.take(10, "reserved bytes")?;
        if capabilities & capability::SECURE_CONNECTION != 0 {
            let rest = challenge_length.saturating_sub(8).max(13).min(reader.rest().len());
            challenge.extend_from_slice(reader.take(rest, "challenge")?);
            if challenge.last() == Some(&0) {
                challenge.pop();
            }
        }
        if capabilities & capability::PLUGIN_AUTH != 0 {
            auth_plugin = String::from_utf8_lossy(reader.until_nul_or_end()).into_owned();
        }
    }
    let required = capability::PROTOCOL_41 | capability::SECURE_CONNECTION;
    if capabilities & required != required {
        return Err(WireError::Malformed { message: "server greeting", reason: "the server is older than MySQL 4.1" });
    }
    Ok(Handshake { version, connection_id, capabilities, challenge, auth_plugin })
}

/// What the client wants of the conversation.
#[derive(Clone, Copy, Debug)]
pub struct ClientChoice {
    /// TLS is about to begin, or has begun.
    pub tls: bool,
    /// The compressed protocol begins behind the login.
    pub compression: Option<super::compressed::Algorithm>,
}

impl ClientChoice {
    /// The flags we send: what we need, of what the server offers.
    pub fn capabilities(self, server: u32) -> u32 {
        use super::compressed::Algorithm;
        let mut wanted = capability::LONG_PASSWORD
            | capability::LONG_FLAG
            | capability::PROTOCOL_41
            | capability::TRANSACTIONS
            | capability::SECURE_CONNECTION
            | capability::PLUGIN_AUTH
            | capability::PLUGIN_AUTH_LENENC
            | capability::CONNECT_ATTRS
            | capability::DEPRECATE_EOF;
        if self.tls {
            wanted |= capability::SSL;
        }
        wanted |= match self.compression {
            None => 0,
            Some(Algorithm::Zlib) => capability::COMPRESS,
            Some(Algorithm::Zstd) => capability::ZSTD_COMPRESSION,
        };
        // MariaDB leaves the first flag out of its greeting; clients set it all the same.
        wanted & (server | capability::LONG_PASSWORD)
    }
}

fn put_head(out: &mut Vec<u8>, capabilities: u32) {
    out.extend_from_slice(&capabilities.to_le_bytes());
    out.extend_from_slice(&MAX_PACKET_BYTES.to_le_bytes());
    out.push(UTF8MB4_GENERAL_CI);
    out.extend_from_slice(&[0; 23]);
}

/// The request for TLS: the head of the answer, alone.
pub fn tls_request(choice: ClientChoice, server: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    put_head(&mut out, choice.capabilities(server));
    out
}

/// The client's answer: who it is and the first message of its login plugin.
pub fn response(
    choice: ClientChoice,
    server: u32,
    user: &str,
    auth_plugin: &str,
    auth_data: &[u8],
    attributes: &[(&str, &str)],
) -> Vec<u8> {
    let capabilities = choice.capabilities(server);
    let mut out = Vec::with_capacity(256);
    put_head(&mut out, capabilities);
    put_nul_string(&mut out, user.as_bytes());
    if capabilities & capability::PLUGIN_AUTH_LENENC != 0 {
        put_string(&mut out, auth_data);
    } else {
        // First messages of login plugins are at most 64 bytes long.
        out.push(auth_data.len().min(255) as u8);
        out.extend(auth_data.iter().take(255));
    }
    if capabilities & capability::PLUGIN_AUTH != 0 {
        put_nul_string(&mut out, auth_plugin.as_bytes());
    }
    if capabilities & capability::CONNECT_ATTRS != 0 {
        let mut pairs = Vec::new();
        for (key, value) in attributes {
            put_string(&mut pairs, key.as_bytes());
            put_string(&mut pairs, value.as_bytes());
        }
        put_length(&mut out, pairs.len() as u64);
        out.extend_from_slice(&pairs);
    }
    if capabilities & capability::ZSTD_COMPRESSION != 0 {
        out.push(super::compressed::ZSTD_LEVEL);
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    /// The layout of a MySQL 8.0 greeting.
    const MYSQL: &[u8] = b"\x0a8.0.45\0\x08\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08\0\xff\xff\xff\x02\0\xff\xdf\x15\
        \0\0\0\0\0\0\0\0\0\0\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\0caching_sha2_password\0";

    #[test]
    fn a_greeting_is_read() {
        let greeting = parse_handshake(MYSQL).unwrap();
        assert_eq!(greeting.version, "8.0.45");
        assert_eq!(greeting.connection_id, 8);
        assert_eq!(greeting.challenge.len(), 20);
        assert_eq!(greeting.auth_plugin, "caching_sha2_password");
        assert_ne!(greeting.capabilities & capability::SSL, 0);
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    fn check_captured(hex: &str, version: &str, connection_id: u32, plugin: &str, offers: &[(u32, bool)]) {
        let payload = bytes(hex);
        let greeting = parse_handshake(&payload).unwrap();
        assert_eq!((greeting.version.as_str(), greeting.connection_id), (version, connection_id));
        assert_eq!((greeting.challenge.len(), greeting.auth_plugin.as_str()), (20, plugin));
        for (flag, offered) in offers {
            assert_eq!(greeting.capabilities & flag != 0, *offered, "{version}: flag {flag:#x}");
        }
        for end in 0..payload.len() {
            let _ = parse_handshake(&payload[..end]);
        }
    }

    #[test]
    fn greetings_captured_from_servers_are_read() {
        use capability::{COMPRESS, DEPRECATE_EOF, LONG_PASSWORD, SSL, ZSTD_COMPRESSION};
        check_captured(
            "0a392e372e342d3200300100005c297d562a2b221f00ffffff0200ffdf15000000000000000000000c643d1a182f0b3e5c2b6a68\
             0063616368696e675f736861325f70617373776f726400",
            "9.7.4-2",
            304,
            "caching_sha2_password",
            &[(SSL, true), (COMPRESS, true), (ZSTD_COMPRESSION, true), (DEPRECATE_EOF, true), (LONG_PASSWORD, true)],
        );
        check_captured(
            "0a382e302e34352d3100f6000000766d606b14366c7a00ffffff0200ffdf15000000000000000000004e2e38366853263b633529\
             0f0063616368696e675f736861325f70617373776f726400",
            "8.0.45-1",
            246,
            "caching_sha2_password",
            &[(SSL, true), (COMPRESS, true), (ZSTD_COMPRESSION, true), (DEPRECATE_EOF, true), (LONG_PASSWORD, true)],
        );
        check_captured(
            "0a352e352e352d31302e31312e31382d4d6172696144422d302b646562313275312d6c6f67000f01000045262a424b32594800fe\
             f7080200ff81150000000000001d0000003f43702f3353286d6f632323006d7973716c5f6e61746976655f70617373776f726400",
            "5.5.5-10.11.18-MariaDB-0+deb12u1-log",
            271,
            "mysql_native_password",
            &[(SSL, false), (COMPRESS, true), (ZSTD_COMPRESSION, false), (DEPRECATE_EOF, true), (LONG_PASSWORD, false)],
        );
        check_captured(
            "0a31312e382e362d4d6172696144422d302b646562313375312066726f6d2044656269616e2d6c6f67001001000027503f2a554c\
             5c6900feff2d0200ff81150000000000003d0000007e5b2e727269377567293056006d7973716c5f6e61746976655f7061737377\
             6f726400",
            "11.8.6-MariaDB-0+deb13u1 from Debian-log",
            272,
            "mysql_native_password",
            &[(SSL, true), (COMPRESS, true), (ZSTD_COMPRESSION, false), (DEPRECATE_EOF, true), (LONG_PASSWORD, false)],
        );
    }

    #[test]
    fn a_greeting_cut_anywhere_is_no_panic() {
        for end in 0..MYSQL.len() {
            let _ = parse_handshake(&MYSQL[..end]);
        }
        assert_eq!(parse_handshake(b"\x0b"), Err(WireError::ProtocolVersion(11)));
        assert!(parse_handshake(b"HTTP/1.1 400 Bad Request\r\n").is_err());
    }

    #[test]
    fn the_answer_offers_only_what_the_server_has() {
        let choice = ClientChoice { tls: false, compression: None };
        let server = capability::PROTOCOL_41 | capability::SECURE_CONNECTION | capability::PLUGIN_AUTH;
        let bytes = response(choice, server, "cdc", "mysql_native_password", &[1, 2], &[("a", "b")]);
        let flags = u32::from_le_bytes(bytes[..4].try_into().unwrap());
        assert_eq!(flags, server | capability::LONG_PASSWORD);
        assert_eq!(&bytes[32..], b"cdc\0\x02\x01\x02mysql_native_password\0");
        assert_eq!(tls_request(choice, server).len(), 32);
    }
}
