//! From a TCP connection to a session: TLS, start-up, login.

use std::path::Path;

use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use super::super::wire::{
    self, Authentication, ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, Scram, WireError, parse_error,
};
use super::conversation::Conversation;
use super::{ConnectOptions, ConnectionError, Doing, Purpose, Secret, SslMode, SslOptions, StopFlag};
use crate::error::Coded;
use crate::source::line::{self, Deadline, Line, LineError, Store, TlsOptions, Verify};
use crate::util::key_store::{self, Identity};

/// The longest message before the login is over. A server that is none may announce any length.
const LOGIN_LIMIT_BYTES: usize = 64 * 1024;
/// More messages than any login has.
const LOGIN_MESSAGE_LIMIT: usize = 16;
/// More messages than a server sends between the login and its first prompt.
const GREETING_MESSAGE_LIMIT: usize = 10_000;

/// Opens a session. What `sslmode` allows is tried in its order.
pub fn log_in(options: &ConnectOptions, purpose: Purpose, stop: &StopFlag) -> Result<Conversation, ConnectionError> {
    let deadline = Deadline::after(Doing::CONNECT, Some(options.connect_timeout));
    let attempt = |tls| session(options, purpose, tls, &deadline, stop);
    match options.ssl.mode {
        SslMode::Disable => attempt(Tls::Never),
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => attempt(Tls::Always),
        SslMode::Prefer => match attempt(Tls::IfOffered) {
            // As libpq: an account that is only let in without TLS, or a TLS that does not come about.
            Err(first) if first.may_depend_on_tls() => attempt(Tls::Never)
                .inspect(|_| tracing::warn!(code = %first.code(), reason = %first, "connected without TLS, as database.sslmode=prefer allows: with TLS it failed"))
                .map_err(|second| telling(first, second)),
            other => other,
        },
        SslMode::Allow => match attempt(Tls::Never) {
            Err(first) if first.may_depend_on_tls() => attempt(Tls::Always).map_err(|second| telling(first, second)),
            other => other,
        },
    }
}

/// Of two attempts' errors the one that says more: the second, where it got further.
fn telling(first: ConnectionError, second: ConnectionError) -> ConnectionError {
    let no_further = second.may_depend_on_tls() || matches!(second, ConnectionError::TlsNotOffered);
    if no_further { first } else { second }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tls {
    Never,
    IfOffered,
    Always,
}

fn session(
    options: &ConnectOptions,
    purpose: Purpose,
    tls: Tls,
    deadline: &Deadline,
    stop: &StopFlag,
) -> Result<Conversation, ConnectionError> {
    let socket = line::connect(&options.host, options.port, options.tcp_keep_alive, *deadline, stop)?;
    let mut conversation = Conversation::new(Line::Plain(socket), stop.clone());
    if tls != Tls::Never {
        conversation = encrypt(conversation, options, tls, deadline, stop)?;
    }
    let deadline = deadline.step(Doing::LOGIN);
    conversation.send(&startup(options, purpose)?, &deadline)?;
    authenticate(&mut conversation, options, &deadline)?;
    greet(&mut conversation, options, &deadline)?;
    tracing::debug!(
        server = conversation.parameter("server_version").unwrap_or_default(),
        tls = matches!(conversation.line(), Line::Tls(_)),
        "connected"
    );
    Ok(conversation)
}

fn encrypt(
    mut conversation: Conversation,
    options: &ConnectOptions,
    tls: Tls,
    deadline: &Deadline,
    stop: &StopFlag,
) -> Result<Conversation, ConnectionError> {
    // The files are read before the server is asked: a wrong path must not look like a network fault.
    let ssl = line::prepare(tls_options(&options.ssl)?, &options.host)?;
    let asking = deadline.step(Doing::TLS_REQUEST);
    conversation.send(&wire::SSL_REQUEST, &asking)?;
    match conversation.receive_byte(&asking)? {
        b'S' => conversation.encrypt(|line| match line {
            Line::Plain(socket) => {
                let deadline = deadline.step(Doing::TLS);
                let stream = line::handshake(ssl, socket, &options.host, &deadline, stop)?;
                Ok(Line::Tls(Box::new(stream)))
            }
            Line::Tls(_) => Ok(line),
        }),
        b'N' if tls == Tls::IfOffered => Ok(conversation),
        b'N' => Err(ConnectionError::TlsNotOffered),
        b'E' => {
            let mut body = Vec::new();
            conversation.receive_behind(b'E', &mut body, LOGIN_LIMIT_BYTES, &asking)?;
            Err(ConnectionError::refused(parse_error(&body)?, Doing::LOGIN, &options.user, ""))
        }
        _ => Err(WireError::Malformed { message: "answer to SSLRequest", reason: "it is neither S nor N" }.into()),
    }
}

fn tls_options(ssl: &SslOptions) -> Result<TlsOptions<'_>, ConnectionError> {
    let verify = match ssl.mode {
        SslMode::Disable | SslMode::Allow | SslMode::Prefer | SslMode::Require => Verify::Nothing,
        SslMode::VerifyCa => Verify::Authority,
        SslMode::VerifyFull => Verify::AuthorityAndHost,
    };
    let truststore = ssl.root_certificate.as_ref().map(|path| Store { path: path.clone(), password: None });
    let identity = match (&ssl.certificate, &ssl.key) {
        (Some(certificate), Some(key)) => {
            Some((pair(certificate, key, ssl.key_password.as_ref())?, certificate.as_path()))
        }
        (None, Some(path)) | (Some(path), None) => {
            let store = Store { path: path.clone(), password: ssl.key_password.clone() };
            Some((line::identity(&store)?, path.as_path()))
        }
        (None, None) => None,
    };
    Ok(TlsOptions { verify, truststore, identity })
}

/// A certificate and its key from two files.
fn pair(certificate: &Path, key: &Path, password: Option<&Secret>) -> Result<Identity, ConnectionError> {
    let read = |path: &Path| {
        key_store::read(path).map_err(|error| {
            ConnectionError::Line(LineError::Store { path: path.to_owned(), reason: error.to_string() })
        })
    };
    let unusable =
        |path: &Path, reason: String| ConnectionError::Line(LineError::Store { path: path.to_owned(), reason });
    let key_bytes = read(key)?;
    let password = password.map(Secret::expose).unwrap_or_default();
    if let Ok(identity) = openssl::pkcs12::Pkcs12::from_der(&key_bytes).and_then(|store| store.parse2(password)) {
        // As pgjdbc: a PKCS12 in database.sslkey holds the certificate too.
        if let (Some(certificate), Some(key)) = (identity.cert, identity.pkey) {
            return Ok(Identity { certificate, key, chain: identity.ca.into_iter().flatten().collect() });
        }
    }
    let mut chain = X509::stack_from_pem(&read(certificate)?)
        .map_err(|error| unusable(certificate, error.to_string()))?
        .into_iter();
    let leaf = chain.next().ok_or_else(|| unusable(certificate, "there is no certificate in it".to_owned()))?;
    let opened = private_key(&key_bytes, password)
        .ok_or_else(|| unusable(key, "there is no private key in it that database.sslpassword opens".to_owned()))?;
    Ok(Identity { certificate: leaf, key: opened, chain: chain.collect() })
}

/// PEM as of libpq, or PKCS8 in DER as of pgjdbc; either may be encrypted.
fn private_key(bytes: &[u8], password: &str) -> Option<PKey<Private>> {
    if key_store::is_pem(bytes) {
        return PKey::private_key_from_pem_passphrase(bytes, password.as_bytes()).ok();
    }
    PKey::private_key_from_der(bytes)
        .or_else(|_| PKey::private_key_from_pkcs8_passphrase(bytes, password.as_bytes()))
        .ok()
}

fn startup(options: &ConnectOptions, purpose: Purpose) -> Result<Vec<u8>, ConnectionError> {
    let mut parameters: Vec<(&str, &str)> =
        vec![("user", &options.user), ("database", &options.database), ("application_name", &options.application_name)];
    parameters.extend(options.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    if let Some(text) = &options.options {
        parameters.push(("options", text));
    }
    match purpose {
        Purpose::Sql => {}
        Purpose::Replication => parameters.push(("replication", "database")),
    }
    Ok(wire::startup(parameters)?)
}

fn authenticate(
    conversation: &mut Conversation,
    options: &ConnectOptions,
    deadline: &Deadline,
) -> Result<(), ConnectionError> {
    let mut body = Vec::new();
    let mut scram: Option<Scram> = None;
    for _ in 0..LOGIN_MESSAGE_LIMIT {
        match conversation.receive_answer(&mut body, LOGIN_LIMIT_BYTES, deadline)? {
            b'R' => {}
            b'E' => {
                return Err(ConnectionError::refused(parse_error(&body)?, Doing::LOGIN, &options.user, ""));
            }
            // NegotiateProtocolVersion: the server knows no newer one than we asked for, or not a setting.
            b'v' => continue,
            other => return Err(unexpected(other, "the login")),
        }
        let answer = match Authentication::parse(&body)? {
            // A server that breaks off the exchange has not proven that it knows the password.
            Authentication::Ok if scram.as_ref().is_some_and(|scram| !scram.is_proven()) => {
                return Err(WireError::Scram("the server ends the login without proof").into());
            }
            Authentication::Ok => return Ok(()),
            Authentication::CleartextPassword => {
                if matches!(conversation.line(), Line::Plain(_)) {
                    tracing::warn!(
                        host = options.host,
                        "the server asks for the password in the clear over a line without TLS"
                    );
                }
                wire::password(secret(options)?)?
            }
            Authentication::Md5Password { salt } => {
                let hash = wire::md5_password(&options.user, secret(options)?, salt);
                wire::password(hash.ok_or(ConnectionError::MethodUnsupported("md5"))?.as_bytes())?
            }
            Authentication::Sasl { mechanisms } => {
                let (mechanism, begun) = begin_scram(conversation.line(), &mechanisms, secret(options)?)?;
                let first = wire::sasl_initial_response(mechanism, &begun.first());
                scram = Some(begun);
                first
            }
            Authentication::SaslContinue(data) => {
                let scram = scram.as_mut().ok_or(WireError::Scram("the exchange was not begun"))?;
                wire::sasl_response(&scram.answer(data)?)
            }
            Authentication::SaslFinal(data) => {
                scram.as_mut().ok_or(WireError::Scram("the exchange was not begun"))?.finish(data)?;
                continue;
            }
            Authentication::Other(method) => return Err(ConnectionError::MethodUnsupported(method_name(method))),
        };
        conversation.send(&answer, deadline)?;
    }
    Err(WireError::Malformed { message: "login", reason: "it does not come to an end" }.into())
}

fn secret(options: &ConnectOptions) -> Result<&[u8], ConnectionError> {
    match &options.password {
        Some(password) if !password.expose().is_empty() => Ok(password.expose().as_bytes()),
        Some(_) | None => Err(ConnectionError::PasswordMissing { user: options.user.clone() }),
    }
}

/// The numbers of the manual's "Authentication…" messages.
fn method_name(method: u32) -> &'static str {
    match method {
        2 => "Kerberos 5",
        7 | 8 => "gss",
        9 => "sspi",
        _ => "unknown",
    }
}

/// Bound to the channel where server and certificate allow.
fn begin_scram(line: &Line, mechanisms: &[&str], password: &[u8]) -> Result<(&'static str, Scram), ConnectionError> {
    let certificate = match line {
        Line::Plain(_) => None,
        Line::Tls(stream) => stream.ssl().peer_certificate(),
    };
    let end_point = certificate.and_then(|certificate| wire::server_end_point(&certificate));
    let (mechanism, binding) = match end_point {
        Some(hash) if mechanisms.contains(&SCRAM_SHA_256_PLUS) => {
            (SCRAM_SHA_256_PLUS, ChannelBinding::ServerEndPoint(hash))
        }
        Some(_) => (SCRAM_SHA_256, ChannelBinding::NotOffered),
        None => (SCRAM_SHA_256, ChannelBinding::Unsupported),
    };
    if !mechanisms.contains(&mechanism) {
        return Err(ConnectionError::MethodUnsupported("a SASL mechanism other than SCRAM-SHA-256"));
    }
    Ok((mechanism, Scram::new(password, binding, &nonce()?)))
}

/// 24 characters that nobody can guess, as libpq's.
fn nonce() -> Result<String, ConnectionError> {
    use base64::Engine;
    let mut bytes = [0; 18];
    openssl::rand::rand_bytes(&mut bytes).map_err(|_| WireError::Scram("OpenSSL has no random bytes"))?;
    Ok(base64::engine::general_purpose::STANDARD.encode(bytes))
}

/// Reads up to the first prompt.
fn greet(
    conversation: &mut Conversation,
    options: &ConnectOptions,
    deadline: &Deadline,
) -> Result<(), ConnectionError> {
    let mut body = Vec::new();
    for _ in 0..GREETING_MESSAGE_LIMIT {
        match conversation.receive_answer(&mut body, LOGIN_LIMIT_BYTES, deadline)? {
            b'Z' => return Ok(()),
            // BackendKeyData: nothing is ever cancelled by another connection.
            b'K' | b'v' => {}
            b'E' => return Err(ConnectionError::refused(parse_error(&body)?, Doing::LOGIN, &options.user, "")),
            other => return Err(unexpected(other, "the login")),
        }
    }
    Err(WireError::Malformed { message: "login", reason: "it does not come to an end" }.into())
}

/// A message that has no place here.
pub fn unexpected(kind: u8, during: &'static str) -> ConnectionError {
    WireError::Unexpected { found: char::from(kind), during }.into()
}

impl ConnectionError {
    /// Whether the other choice about TLS may succeed: refused by `pg_hba.conf` (28000), or no TLS came about.
    fn may_depend_on_tls(&self) -> bool {
        matches!(
            self,
            Self::Line(
                LineError::TlsHandshake { .. }
                    | LineError::Closed(Doing::TLS)
                    | LineError::Io { doing: Doing::TLS, .. }
            )
        ) || matches!(self, Self::AccessDenied { error, .. } if error.sql_state == "28000")
    }
}

#[cfg(test)]
mod tests;
