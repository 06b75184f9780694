//! Logins: every plugin the server has, with TLS and without, cold and from the cache; and every refusal.

use headwater::error::Coded;
use headwater::source::binlog::connection::{ConnectionError, Flavor, SslMode};

use crate::server::{Server, skip_part};

/// Logs in with TLS and without, twice each: the first login of a `caching_sha2_password` account sends the password,
/// the second does not.
fn check(server: &Server, what: &str, identified: &str, password: &str) {
    let mut root = server.root();
    for mode in [SslMode::Disabled, SslMode::Required] {
        root.query_drop("DROP USER IF EXISTS plugin@'%'").unwrap();
        root.query_drop(&format!("CREATE USER plugin@'%' {identified}")).unwrap();
        let mut options = server.options("plugin", password);
        options.ssl.mode = mode;
        for attempt in ["first", "second"] {
            let mut session =
                server.connect(&options).unwrap_or_else(|error| panic!("{what} {mode:?} {attempt}: {error}"));
            assert_eq!(session.server().tls.is_some(), mode == SslMode::Required);
            let user = session.query("SELECT CURRENT_USER() AS user").unwrap();
            assert_eq!(user.first("user").as_deref(), Some("plugin@%"));
        }
        let mut wrong = options.clone();
        wrong.password = headwater::source::binlog::connection::Secret::new(format!("{password}?"));
        let error = server.connect(&wrong).map(|_| ()).unwrap_err();
        assert!(matches!(error, ConnectionError::AccessDenied { .. }), "{what} {mode:?}: {error}");
        assert!(!format!("{error} {error:?} {wrong:?}").contains(&format!("{password}?")), "a password was printed");
    }
    root.query_drop("DROP USER plugin@'%'").unwrap();
}

/// Every plugin that this server has.
pub fn plugins(server: &Server) {
    let long = "long password ä ".repeat(10);
    match server.flavor {
        Flavor::MySql => {
            for plugin in ["caching_sha2_password", "sha256_password", "mysql_native_password"] {
                let known = format!(
                    "SELECT 1 FROM information_schema.plugins WHERE plugin_name = '{plugin}' AND plugin_status = 'ACTIVE'"
                );
                if server.sql(&known).rows.is_empty() {
                    println!("{}: {plugin} is not part of this server", server.name);
                    continue;
                }
                for password in ["secret", ""].into_iter().chain([long.as_str()]) {
                    check(server, plugin, &format!("IDENTIFIED WITH {plugin} BY '{password}'"), password);
                }
            }
        }
        Flavor::MariaDb => {
            for password in ["secret", long.as_str()] {
                check(server, "mysql_native_password", &format!("IDENTIFIED BY '{password}'"), password);
            }
            check(server, "mysql_native_password", "IDENTIFIED BY ''", "");
            for (library, plugin) in [("auth_ed25519", "ed25519"), ("auth_parsec", "parsec")] {
                match server.root().query_drop(&format!("INSTALL SONAME '{library}'")) {
                    Ok(()) => {}
                    Err(_) if plugin == "parsec" && server.name == "mariadb-10.11" => continue,
                    Err(error) => {
                        skip_part(&format!("{} with {plugin}", server.name), &error.to_string());
                        continue;
                    }
                }
                for password in ["secret", long.as_str()] {
                    check(server, plugin, &format!("IDENTIFIED VIA {plugin} USING PASSWORD('{password}')"), password);
                }
            }
        }
    }
}

fn refused(server: &Server, user: &str, password: &str, number: u16) {
    let error = server.connect(&server.options(user, password)).map(|_| ()).unwrap_err();
    assert_eq!(error.code().number, number, "{user}: {error}");
    assert!(!error.is_weather(), "{error}");
}

/// What a server answers to accounts that cannot log in.
pub fn refusals(server: &Server) {
    refused(server, "nobody", "secret", 223);
    refused(server, "app", "", 223);
    let mut root = server.root();
    root.query_drop("CREATE USER sealed@'%' IDENTIFIED BY 'secret' REQUIRE SSL").unwrap();
    refused(server, "sealed", "secret", 223);
    root.query_drop("CREATE USER locked@'%' IDENTIFIED BY 'secret' ACCOUNT LOCK").unwrap();
    refused(server, "locked", "secret", 228);
    root.query_drop("CREATE USER expired@'%' IDENTIFIED BY 'secret' PASSWORD EXPIRE").unwrap();
    let mut expired = server.options("expired", "secret");
    expired.ssl.mode = SslMode::Required;
    let error = match server.connect(&expired) {
        Ok(mut session) => session.query("SELECT 1").map(|_| ()).unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.code().number, 227, "{error}");
    root.query_drop("SET GLOBAL require_secure_transport = ON").unwrap();
    // MariaDB before 11 has no words of its own for it.
    refused(server, "cdc", "cdcpw", if server.name == "mariadb-10.11" { 223 } else { 222 });
    root.query_drop("SET GLOBAL require_secure_transport = OFF").unwrap();

    // One session more than the server takes: weather.
    root.query_drop("SET GLOBAL max_connections = 10").unwrap();
    let mut sessions = Vec::new();
    let error = loop {
        match server.connect(&server.options("cdc", "cdcpw")) {
            Ok(session) => sessions.push(session),
            Err(error) => break error,
        }
        assert!(sessions.len() < 50);
    };
    assert_eq!((error.code().number, error.is_weather()), (232, true), "{error}");
    drop(sessions);
    root.query_drop("SET GLOBAL max_connections = 200").unwrap();

    // A port where nobody listens, and one where somebody else does.
    let mut nobody = server.options("cdc", "cdcpw");
    nobody.port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(server.connect(&nobody).map(|_| ()).unwrap_err().code().number, 212);
    nobody.hostname = "no-such-host.invalid".to_owned();
    assert_eq!(server.connect(&nobody).map(|_| ()).unwrap_err().code().number, 211);
}
