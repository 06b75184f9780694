//! TLS: what each mode checks, client certificates, formats of stores.

use headwater::error::Coded;
use headwater::source::binlog::connection::{ConnectionError, Secret, SslMode, Store};

use crate::authorities::PASSWORD;
use crate::server::Server;

fn store(server: &Server, name: &str, password: Option<&str>) -> Store {
    Store { path: server.authorities.file(name), password: password.map(Secret::new) }
}

fn connect(
    server: &Server,
    hostname: &str,
    mode: SslMode,
    truststore: Option<Store>,
    keystore: Option<Store>,
    user: &str,
) -> Result<String, ConnectionError> {
    let mut options = server.options(user, if user == "certified" { "secret" } else { "cdcpw" });
    options.hostname = hostname.to_owned();
    options.ssl.mode = mode;
    options.ssl.truststore = truststore;
    options.ssl.keystore = keystore;
    let mut session = server.connect(&options)?;
    Ok(session.query("SHOW STATUS LIKE 'Ssl_version'").unwrap().first("Value").unwrap_or_default())
}

fn number(result: Result<String, ConnectionError>) -> u16 {
    let error = result.unwrap_err();
    assert!(!error.is_weather(), "{error}");
    println!("  {error}");
    error.code().number
}

/// The five modes against the right authority, none, and a stranger.
pub fn modes(server: &Server) {
    use SslMode::{Disabled, Preferred, Required, VerifyCa, VerifyIdentity};
    let host = "127.0.0.1";
    let right = || Some(store(server, "ca.pem", None));
    let wrong = || Some(store(server, "stranger.pem", None));
    assert_eq!(connect(server, host, Disabled, None, None, "cdc").unwrap(), "");
    for mode in [Preferred, Required] {
        assert!(connect(server, host, mode, None, None, "cdc").unwrap().starts_with("TLSv1"));
        // Nothing is checked, so a stranger as authority is not either.
        assert!(connect(server, host, mode, wrong(), None, "cdc").unwrap().starts_with("TLSv1"));
    }
    for mode in [VerifyCa, VerifyIdentity] {
        assert!(connect(server, host, mode, right(), None, "cdc").unwrap().starts_with("TLSv1"));
        assert_eq!(number(connect(server, host, mode, wrong(), None, "cdc")), 218);
        assert_eq!(number(connect(server, host, mode, None, None, "cdc")), 218);
    }
    // The certificate holds 127.0.0.1 and not this name.
    assert!(connect(server, "localhost", VerifyCa, right(), None, "cdc").is_ok());
    assert_eq!(number(connect(server, "localhost", VerifyIdentity, right(), None, "cdc")), 219);
}

/// An account that demands a certificate of its client.
pub fn client_certificates(server: &Server) {
    server.sql("CREATE USER certified@'%' IDENTIFIED BY 'secret' REQUIRE X509");
    let host = "127.0.0.1";
    for keystore in [
        store(server, "client.pem", None),
        store(server, "client-sealed.pem", Some(PASSWORD)),
        store(server, "client.p12", Some(PASSWORD)),
    ] {
        let trusted = Some(store(server, "ca.pem", None));
        let version = connect(server, host, SslMode::VerifyCa, trusted, Some(keystore.clone()), "certified");
        assert!(version.unwrap().starts_with("TLSv1"), "{keystore:?}");
    }
    assert_eq!(number(connect(server, host, SslMode::Required, None, None, "certified")), 223);
}

/// Formats, passwords, and files that are no stores.
pub fn stores(server: &Server) {
    let host = "127.0.0.1";
    let trust =
        |name, password| connect(server, host, SslMode::VerifyCa, Some(store(server, name, password)), None, "cdc");
    assert!(trust("ca.p12", Some(PASSWORD)).is_ok());
    assert!(trust("ca.jks", Some("the digest is not asserted")).is_ok());
    assert_eq!(number(trust("ca.p12", Some("wrong"))), 220);
    assert_eq!(number(trust("truncated.jks", None)), 220);
    assert_eq!(number(trust("nonsense", None)), 220);
    assert_eq!(number(trust("missing.pem", None)), 220);
    assert_eq!(number(trust("server-key.pem", None)), 220);
    let key =
        |name, password| connect(server, host, SslMode::Required, None, Some(store(server, name, password)), "cdc");
    assert_eq!(number(key("ca.jks", None)), 220);
    assert_eq!(number(key("ca.pem", None)), 220);
    assert_eq!(number(key("client-sealed.pem", Some("wrong"))), 220);
    assert_eq!(number(key("client.p12", Some("wrong"))), 220);
}
