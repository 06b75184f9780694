//! From a TCP connection to a session: greeting, TLS, login, compression.

use super::super::super::line::{self, Deadline, Doing, Line, StopFlag, TlsOptions, Verify};
use super::super::wire::WireError;
use super::super::wire::auth::{Login, LoginPacket, Plugin, Step, parse_login};
use super::super::wire::capability;
use super::super::wire::compressed::Algorithm;
use super::super::wire::handshake::{ClientChoice, Handshake, parse_handshake, response, tls_request};
use super::super::wire::response::parse_error;
use super::conversation::Conversation;
use super::{Compression, ConnectOptions, ConnectionError, ServerInfo, SslMode, SslOptions};

/// More packets than any plugin's login has.
const LOGIN_PACKET_LIMIT: usize = 16;

/// Opens a session.
pub fn log_in(options: &ConnectOptions, stop: &StopFlag) -> Result<(Conversation, ServerInfo), ConnectionError> {
    let deadline = Deadline::after(Doing::CONNECT, Some(options.connect_timeout));
    let stream = line::connect(&options.hostname, options.port, options.keep_alive, deadline, stop)?;
    let mut conversation = Conversation::new(Line::Plain(stream), stop.clone());
    let greeting = greet(&mut conversation, options, &deadline.step(Doing::GREETING))?;
    let mut server = ServerInfo::of(&greeting);
    let choice = choose(options, &greeting)?;
    if choice.tls {
        conversation = encrypt(conversation, options, &greeting, choice, &deadline.step(Doing::TLS), &mut server)?;
    }
    authenticate(&mut conversation, options, &greeting, choice, &deadline.step(Doing::LOGIN))?;
    conversation.agree(choice.capabilities(greeting.capabilities));
    if let Some(algorithm) = choice.compression {
        conversation.compress(algorithm);
        server.compressed = true;
    }
    tracing::debug!(
        server = server.version_text,
        connection_id = server.connection_id,
        tls = server.tls.as_deref().unwrap_or("none"),
        compressed = server.compressed,
        "connected"
    );
    Ok((conversation, server))
}

fn greet(
    conversation: &mut Conversation,
    options: &ConnectOptions,
    deadline: &Deadline,
) -> Result<Handshake, ConnectionError> {
    let mut payload = Vec::new();
    conversation.receive(&mut payload, deadline)?;
    if payload.first() == Some(&0xff) {
        return Err(ConnectionError::refused(parse_error(&payload)?, deadline.doing, &options.user, "login"));
    }
    Ok(parse_handshake(&payload)?)
}

/// TLS and compression: what is wanted, of what is offered.
fn choose(options: &ConnectOptions, greeting: &Handshake) -> Result<ClientChoice, ConnectionError> {
    let offered = |flag| greeting.capabilities & flag != 0;
    let tls = match options.ssl.mode {
        SslMode::Disabled => false,
        SslMode::Preferred => offered(capability::SSL),
        SslMode::Required | SslMode::VerifyCa | SslMode::VerifyIdentity if offered(capability::SSL) => true,
        SslMode::Required | SslMode::VerifyCa | SslMode::VerifyIdentity => {
            return Err(ConnectionError::TlsNotOffered);
        }
    };
    let compression = match options.compression {
        Compression::None => None,
        Compression::Zlib if offered(capability::COMPRESS) => Some(Algorithm::Zlib),
        Compression::Zstd if offered(capability::ZSTD_COMPRESSION) => Some(Algorithm::Zstd),
        wanted @ (Compression::Zlib | Compression::Zstd) => {
            tracing::warn!(?wanted, server = greeting.version, "compression is not offered by the server");
            None
        }
    };
    Ok(ClientChoice { tls, compression })
}

fn encrypt(
    mut conversation: Conversation,
    options: &ConnectOptions,
    greeting: &Handshake,
    choice: ClientChoice,
    deadline: &Deadline,
    server: &mut ServerInfo,
) -> Result<Conversation, ConnectionError> {
    // The stores are read before the server is asked: a wrong path must not look like a network fault.
    let ssl = line::prepare(tls_options(&options.ssl)?, &options.hostname)?;
    conversation.send(&tls_request(choice, greeting.capabilities), deadline)?;
    let stop = conversation.stop_flag();
    conversation.encrypt(|line| match line {
        Line::Plain(socket) => {
            let stream = line::handshake(ssl, socket, &options.hostname, deadline, &stop)?;
            server.tls = Some(stream.ssl().version_str().to_owned());
            Ok(Line::Tls(Box::new(stream)))
        }
        Line::Tls(_) => Ok(line),
    })
}

fn tls_options(ssl: &SslOptions) -> Result<TlsOptions<'_>, ConnectionError> {
    let verify = match ssl.mode {
        SslMode::Disabled | SslMode::Preferred | SslMode::Required => Verify::Nothing,
        SslMode::VerifyCa => Verify::Authority,
        SslMode::VerifyIdentity => Verify::AuthorityAndHost,
    };
    let identity = match &ssl.keystore {
        Some(store) => Some((line::identity(store)?, store.path.as_path())),
        None => None,
    };
    Ok(TlsOptions { verify, truststore: ssl.truststore.clone(), identity })
}

fn authenticate(
    conversation: &mut Conversation,
    options: &ConnectOptions,
    greeting: &Handshake,
    choice: ClientChoice,
    deadline: &Deadline,
) -> Result<(), ConnectionError> {
    let password = options.password.expose().as_bytes();
    // The server's wish may be another account's plugin; it asks to switch when ours is another. A clear
    // password is only sent when the server asks for it by that switch.
    let plugin = match Plugin::named(&greeting.auth_plugin) {
        Some(plugin @ (Plugin::Native | Plugin::CachingSha2)) => plugin,
        Some(Plugin::Sha256 | Plugin::Clear | Plugin::Ed25519 | Plugin::Parsec) | None => Plugin::Native,
    };
    let mut login = Login::new(plugin, &greeting.challenge, password, choice.tls);
    let Step::Send(first) = login.first()? else {
        return Err(ConnectionError::ClearPasswordRefused);
    };
    let pid = std::process::id().to_string();
    let attributes = [
        ("_client_name", "headwater"),
        ("_client_version", env!("CARGO_PKG_VERSION")),
        ("_os", std::env::consts::OS),
        ("_pid", pid.as_str()),
        ("program_name", "headwater"),
    ];
    let answer = response(choice, greeting.capabilities, &options.user, plugin.name(), &first, &attributes);
    conversation.send(&answer, deadline)?;
    let mut payload = Vec::new();
    for _ in 0..LOGIN_PACKET_LIMIT {
        conversation.receive(&mut payload, deadline)?;
        let step = match parse_login(&payload)? {
            LoginPacket::Ok => return Ok(()),
            LoginPacket::Error(error) => {
                return Err(ConnectionError::refused(parse_error(error)?, deadline.doing, &options.user, "login"));
            }
            LoginPacket::OldPassword => return Err(ConnectionError::OldPassword),
            LoginPacket::Switch { plugin, challenge } => {
                let plugin =
                    Plugin::named(plugin).ok_or_else(|| ConnectionError::PluginUnsupported(plugin.to_owned()))?;
                login = Login::new(plugin, challenge, password, choice.tls);
                login.first()?
            }
            LoginPacket::Plugin(data) => login.next(data)?,
        };
        match step {
            Step::Send(bytes) => conversation.send(&bytes, deadline)?,
            Step::Wait => {}
            Step::RefuseClear => return Err(ConnectionError::ClearPasswordRefused),
        }
    }
    Err(WireError::Malformed { message: "login", reason: "it does not come to an end" }.into())
}
