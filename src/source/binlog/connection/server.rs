//! Who answers: product, version, number of the connection.

pub use super::super::flavor::Flavor;
use super::super::wire::capability;
use super::super::wire::handshake::Handshake;

/// What the greeting told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInfo {
    /// As the server prints it.
    pub version_text: String,
    /// The product.
    pub flavor: Flavor,
    /// Major, minor, patch; zeros where the text has no numbers.
    pub version: (u16, u16, u16),
    /// The server's number of this connection: `KILL` takes it.
    pub connection_id: u32,
    /// The TLS version in use, such as `TLSv1.3`; `None` without TLS.
    pub tls: Option<String>,
    /// The protocol is compressed.
    pub compressed: bool,
}

impl ServerInfo {
    /// From the greeting; TLS and compression are filled in when they have begun.
    pub fn of(greeting: &Handshake) -> Self {
        let text = greeting.version.as_str();
        // MariaDB 10 to 11.0 put 5.5.5- before their version, for replicas that understood only MySQL's.
        let own = text.strip_prefix("5.5.5-").unwrap_or(text);
        let maria = own.len() != text.len()
            || text.to_ascii_lowercase().contains("mariadb")
            || greeting.capabilities & capability::LONG_PASSWORD == 0;
        Self {
            version_text: text.to_owned(),
            flavor: if maria { Flavor::MariaDb } else { Flavor::MySql },
            version: parse_version(own),
            connection_id: greeting.connection_id,
            tls: None,
            compressed: false,
        }
    }
}

fn parse_version(text: &str) -> (u16, u16, u16) {
    let digits_end = text.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(text.len());
    let mut parts = text.get(..digits_end).unwrap_or_default().split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, capabilities: u32, flavor: Flavor, version: (u16, u16, u16)) {
        let greeting = Handshake {
            version: text.to_owned(),
            connection_id: 1,
            capabilities,
            challenge: Vec::new(),
            auth_plugin: String::new(),
        };
        let server = ServerInfo::of(&greeting);
        assert_eq!((server.flavor, server.version), (flavor, version), "{text}");
    }

    #[test]
    fn products_and_versions_are_told_apart() {
        let mysql = capability::LONG_PASSWORD;
        check("9.7.4", mysql, Flavor::MySql, (9, 7, 4));
        check("8.0.45-0ubuntu0.22.04.1", mysql, Flavor::MySql, (8, 0, 45));
        check("5.7.44-48-log", mysql, Flavor::MySql, (5, 7, 44));
        check("5.5.5-10.11.19-MariaDB-log", 0, Flavor::MariaDb, (10, 11, 19));
        check("11.8.6-MariaDB-deb13", 0, Flavor::MariaDb, (11, 8, 6));
        check("10.6.9-managed", 0, Flavor::MariaDb, (10, 6, 9));
        check("nonsense", mysql, Flavor::MySql, (0, 0, 0));
        check("99999999.1", mysql, Flavor::MySql, (0, 1, 0));
    }
}
