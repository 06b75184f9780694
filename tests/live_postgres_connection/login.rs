//! Ways to log in, and what each `sslmode` asks of the server.

use headwater::error::Coded;
use headwater::source::line::LineError;
use headwater::source::postgres::connection::{ConnectOptions, ConnectionError, Secret, SslMode};

use crate::server::Server;

const TLS_IN_USE: &str = "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

/// Connects; says whether TLS is in use, or the error's number.
fn try_login(server: &Server, options: &ConnectOptions) -> Result<bool, u16> {
    let mut session = server.connect(options).map_err(|error| {
        println!("  {error}");
        error.code().number
    })?;
    let user = session.query("SELECT current_user::text AS u").unwrap().first("u").unwrap();
    assert_eq!(user, options.user);
    Ok(session.query(TLS_IN_USE).unwrap().first("ssl").unwrap() == "true")
}

fn login(server: &Server, user: &str, password: &str, mode: SslMode) -> Result<bool, u16> {
    let mut options = server.options(user, password);
    options.ssl.mode = mode;
    try_login(server, &options)
}

/// Every method, with and without TLS. Over TLS SCRAM is bound to the channel.
pub fn methods(server: &Server) {
    for (user, password) in [("by_md5", "md5pw"), ("by_password", "passwordpw"), ("cdc", "cdcpw")] {
        assert_eq!(login(server, user, password, SslMode::Disable), Ok(false), "{user}");
        assert_eq!(login(server, user, password, SslMode::Require), Ok(true), "{user}");
    }
    // As many rounds as are recommended for hashes that may be stolen, and characters that SASLprep changes.
    if server.name != "postgres-15" {
        server.sql("ALTER SYSTEM SET scram_iterations = 600000");
        server.sql("SELECT pg_reload_conf()");
        // Each connection reads the file when it is told to, or at its start.
    }
    server.sql("CREATE ROLE by_letters LOGIN PASSWORD 'I\u{ad}X \u{aa} \u{2168} пароль'");
    for mode in [SslMode::Disable, SslMode::Require] {
        assert!(login(server, "by_letters", "I\u{ad}X \u{aa} \u{2168} пароль", mode).is_ok());
        assert!(login(server, "by_letters", "IX a IX пароль", mode).is_ok());
    }
    server.sql("DROP ROLE by_letters");
    if server.name != "postgres-15" {
        server.sql("ALTER SYSTEM RESET scram_iterations");
        server.sql("SELECT pg_reload_conf()");
    }
    let access = server.file("pg_hba.conf");
    let before = std::fs::read_to_string(&access).unwrap();
    server.sql("CREATE ROLE by_trust LOGIN");
    std::fs::write(&access, format!("host all by_trust 127.0.0.1/32 trust\n{before}")).unwrap();
    server.sql("SELECT pg_reload_conf()");
    let mut options = server.options("by_trust", "");
    options.password = None;
    crate::support::eventually("the new pg_hba.conf is read", std::time::Duration::from_secs(30), || {
        try_login(server, &options).ok()
    });
    std::fs::write(&access, before).unwrap();
    server.sql("SELECT pg_reload_conf()");
    server.sql("DROP ROLE by_trust");
}

/// What is refused, by its page.
pub fn refusals(server: &Server) {
    for mode in [SslMode::Disable, SslMode::Prefer, SslMode::Require] {
        for user in ["by_md5", "by_password", "cdc", "nobody"] {
            assert_eq!(login(server, user, "wrong", mode), Err(1211), "{user}");
        }
        let mut options = server.options("cdc", "cdcpw");
        options.password = None;
        assert_eq!(try_login(server, &options), Err(1212));
        options = server.options("cdc", "cdcpw");
        options.database = "no such database".to_owned();
        assert_eq!(try_login(server, &options), Err(1214));
    }
    let mut options = server.options("cdc", "cdcpw");
    options.settings.push(("no_such_setting".to_owned(), "1".to_owned()));
    let error = server.connect(&options).unwrap_err();
    assert_eq!((error.code().number, error.sql_state()), (1217, Some("42704")), "{error}");
    options = server.options("cdc", "cdcpw");
    options.port = 1;
    let error = server.connect(&options).unwrap_err();
    assert!(error.is_weather() && matches!(error, ConnectionError::Line(LineError::Connect { .. })), "{error}");
    options.host = "no-such-host.invalid".to_owned();
    let error = server.connect(&options).unwrap_err();
    assert!(error.is_weather() && matches!(error, ConnectionError::Line(LineError::UnknownHost { .. })), "{error}");
}

/// What each mode asks for, and what it is content with.
pub fn ssl_modes(server: &Server) {
    use SslMode::{Allow, Disable, Prefer, Require, VerifyCa, VerifyFull};
    for (mode, tls) in [(Disable, false), (Allow, false), (Prefer, true), (Require, true)] {
        assert_eq!(login(server, "cdc", "cdcpw", mode), Ok(tls), "{mode:?}");
    }
    // Let in over TLS only: refused without, and found by `allow` at the second attempt.
    assert_eq!(login(server, "by_tls", "tlspw", Disable), Err(1211));
    for mode in [Allow, Prefer, Require] {
        assert_eq!(login(server, "by_tls", "tlspw", mode), Ok(true), "{mode:?}");
    }
    let verified = |mode, host: &str, root: Option<&str>| {
        let mut options = server.options("cdc", "cdcpw");
        options.host = host.to_owned();
        options.ssl.mode = mode;
        options.ssl.root_certificate = root.map(|name| server.file(name));
        try_login(server, &options)
    };
    for mode in [VerifyCa, VerifyFull] {
        assert_eq!(verified(mode, "127.0.0.1", Some("ca.pem")), Ok(true));
        // The machine's own authorities do not know the test's, and a client's certificate is no authority.
        assert_eq!(verified(mode, "127.0.0.1", None), Err(1208));
        assert_eq!(verified(mode, "127.0.0.1", Some("client-cert.pem")), Err(1208));
        assert_eq!(verified(mode, "127.0.0.1", Some("pg_hba.conf")), Err(1210));
    }
    assert_eq!(verified(VerifyCa, "localhost", Some("ca.pem")), Ok(true));
    without_tls(server);
    wrong_host(server);
}

/// A server that offers none.
fn without_tls(server: &Server) {
    server.sql("ALTER SYSTEM SET ssl = off");
    server.sql("SELECT pg_reload_conf()");
    crate::support::eventually("TLS is off", std::time::Duration::from_secs(30), || {
        (login(server, "cdc", "cdcpw", SslMode::Prefer) == Ok(false)).then_some(())
    });
    assert_eq!(login(server, "cdc", "cdcpw", SslMode::Require), Err(1205));
    assert_eq!(login(server, "cdc", "cdcpw", SslMode::Allow), Ok(false));
    assert_eq!(login(server, "by_tls", "tlspw", SslMode::Allow), Err(1211));
    server.sql("ALTER SYSTEM RESET ssl");
    server.sql("SELECT pg_reload_conf()");
    crate::support::eventually("TLS is on again", std::time::Duration::from_secs(30), || {
        (login(server, "cdc", "cdcpw", SslMode::Require) == Ok(true)).then_some(())
    });
}

/// The certificate holds localhost and 127.0.0.1; a proxy on another name of this machine is another host.
fn wrong_host(server: &Server) {
    let listener = std::net::TcpListener::bind("127.0.0.3:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let target = ("127.0.0.1", server.port);
    let relay = std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let database = std::net::TcpStream::connect(target).unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), database.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let (mut from, mut to) = (database, client);
        let _ = std::io::copy(&mut from, &mut to);
    });
    let mut options = server.options("cdc", "cdcpw");
    options.host = "127.0.0.3".to_owned();
    options.port = port;
    options.ssl.mode = SslMode::VerifyFull;
    options.ssl.root_certificate = Some(server.file("ca.pem"));
    assert_eq!(try_login(server, &options), Err(1209));
    relay.join().unwrap();
}

/// A user who logs in by certificate only, with its key in the formats of libpq and of pgjdbc.
pub fn client_certificates(server: &Server) {
    let with = |certificate: Option<&str>, key: Option<&str>| {
        let mut options = server.options("by_cert", "");
        options.password = None;
        options.ssl.mode = SslMode::Require;
        options.ssl.certificate = certificate.map(|name| server.file(name));
        options.ssl.key = key.map(|name| server.file(name));
        options
    };
    for key in ["client-key.pem", "client-key.pk8"] {
        assert_eq!(try_login(server, &with(Some("client-cert.pem"), Some(key))), Ok(true), "{key}");
    }
    assert_eq!(try_login(server, &with(None, None)), Err(1211));
    // A certificate for another user, a key of another certificate, a file that is none.
    let mut options = with(Some("client-cert.pem"), Some("client-key.pem"));
    options.user = "cdc".to_owned();
    options.password = Some(Secret::new("cdcpw"));
    assert_eq!(try_login(server, &options), Ok(true));
    assert_eq!(try_login(server, &with(Some("client-cert.pem"), Some("server-key.pem"))), Err(1210));
    assert_eq!(try_login(server, &with(Some("client-cert.pem"), Some("pg_hba.conf"))), Err(1210));
    assert_eq!(try_login(server, &with(Some("client-cert.pem"), None)), Err(1210));

    // PKCS12 with both, under a password; PKCS8 under a password.
    let folder = tempfile::tempdir().unwrap();
    let certificate = openssl::x509::X509::from_pem(&std::fs::read(server.file("client-cert.pem")).unwrap()).unwrap();
    let key =
        openssl::pkey::PKey::private_key_from_pem(&std::fs::read(server.file("client-key.pem")).unwrap()).unwrap();
    let store = openssl::pkcs12::Pkcs12::builder().cert(&certificate).pkey(&key).build2("secret").unwrap();
    let sealed = key.private_key_to_pkcs8_passphrase(openssl::symm::Cipher::aes_256_cbc(), b"secret").unwrap();
    for (name, bytes) in [("client.p12", store.to_der().unwrap()), ("client.pk8", sealed)] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        for (password, expected) in [("secret", Ok(true)), ("wrong", Err(1210))] {
            let mut options = with(Some("client-cert.pem"), None);
            options.ssl.key = Some(path.clone());
            options.ssl.key_password = Some(Secret::new(password));
            assert_eq!(try_login(server, &options), expected, "{name} {password}");
        }
    }
}
