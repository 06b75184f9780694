//! Commands of the client.
//!
//! In: arguments. Out: the payload of one command packet. Promised: nothing is cut silently; what does not
//! fit its field is an error. Source: MySQL internals manual, "Command Phase"; `sql/rpl_source.cc`.

use super::WireError;

const COM_QUIT: u8 = 0x01;
const COM_QUERY: u8 = 0x03;
const COM_PING: u8 = 0x0e;
const COM_BINLOG_DUMP: u8 = 0x12;
const COM_REGISTER_SLAVE: u8 = 0x15;
const COM_BINLOG_DUMP_GTID: u8 = 0x1e;

/// The server ends the stream with EOF instead of waiting for new events.
pub const DUMP_NON_BLOCK: u16 = 0x01;
/// MariaDB: send annotate-rows events.
pub const DUMP_ANNOTATE_ROWS: u16 = 0x02;
/// MySQL: the GTID set in the command counts.
const DUMP_THROUGH_GTID: u16 = 0x04;

/// The first four bytes of a binlog file are its magic; events begin behind them.
pub const FIRST_POSITION: u64 = 4;

/// COM_QUIT.
pub fn quit() -> Vec<u8> {
    vec![COM_QUIT]
}

/// COM_PING.
pub fn ping() -> Vec<u8> {
    vec![COM_PING]
}

/// COM_QUERY.
pub fn query(sql: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 + sql.len());
    out.push(COM_QUERY);
    out.extend_from_slice(sql.as_bytes());
    out
}

/// COM_REGISTER_SLAVE: makes the client visible in SHOW REPLICAS under `hostname` and `port`.
pub fn register_slave(server_id: u32, hostname: &str, port: u16) -> Vec<u8> {
    let mut out = vec![COM_REGISTER_SLAVE];
    out.extend_from_slice(&server_id.to_le_bytes());
    // The server refuses names over 60 bytes (HOSTNAME_LENGTH of its older versions); it only shows the name.
    let name: Vec<u8> = hostname.bytes().take(60).collect();
    out.push(name.len() as u8);
    out.extend_from_slice(&name);
    out.extend_from_slice(&[0, 0]); // user and password: shown to administrators, so left empty
    out.extend_from_slice(&port.to_le_bytes());
    out.extend_from_slice(&[0; 4]); // replication rank, not used
    out.extend_from_slice(&[0; 4]); // source id, filled in by the server
    out
}

/// COM_BINLOG_DUMP. The protocol has four bytes for the position.
pub fn binlog_dump(server_id: u32, flags: u16, file: &str, position: u64) -> Result<Vec<u8>, WireError> {
    let position = u32::try_from(position).map_err(|_| WireError::Malformed {
        message: "COM_BINLOG_DUMP",
        reason: "the protocol has no positions beyond 4 GiB",
    })?;
    let mut out = vec![COM_BINLOG_DUMP];
    out.extend_from_slice(&position.to_le_bytes());
    out.extend_from_slice(&flags.to_le_bytes());
    out.extend_from_slice(&server_id.to_le_bytes());
    out.extend_from_slice(file.as_bytes());
    Ok(out)
}

/// COM_BINLOG_DUMP_GTID with the set of transactions that the client has, in the server's encoding
/// (`Gtid_set::encode`). File and position are empty: the server finds the place.
pub fn binlog_dump_gtid(server_id: u32, flags: u16, gtid_set: &[u8]) -> Result<Vec<u8>, WireError> {
    let length = u32::try_from(gtid_set.len())
        .map_err(|_| WireError::Malformed { message: "COM_BINLOG_DUMP_GTID", reason: "the GTID set is too long" })?;
    let mut out = vec![COM_BINLOG_DUMP_GTID];
    out.extend_from_slice(&(flags | DUMP_THROUGH_GTID).to_le_bytes());
    out.extend_from_slice(&server_id.to_le_bytes());
    out.extend_from_slice(&0_u32.to_le_bytes()); // length of the file name
    out.extend_from_slice(&FIRST_POSITION.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(gtid_set);
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn commands_are_laid_out_as_the_manual_says() {
        assert_eq!(query("SELECT 1"), b"\x03SELECT 1");
        assert_eq!(
            binlog_dump(7, DUMP_NON_BLOCK, "binlog.000002", 157).unwrap(),
            b"\x12\x9d\0\0\0\x01\0\x07\0\0\0binlog.000002"
        );
        assert_eq!(
            binlog_dump_gtid(7, 0, b"set").unwrap(),
            b"\x1e\x04\0\x07\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\x03\0\0\0set"
        );
        assert_eq!(register_slave(7, "host", 3306), b"\x15\x07\0\0\0\x04host\0\0\xea\x0c\0\0\0\0\0\0\0\0");
        assert!(binlog_dump(7, 0, "f", 1 << 32).is_err());
    }
}
