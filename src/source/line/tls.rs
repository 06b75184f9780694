//! TLS on a connected socket.
//!
//! In: options, a socket. Out: an encrypted line. Promised: the handshake ends at its deadline; a certificate that
//! nobody vouches for, or another host's, is told from a handshake that failed.

use std::net::{IpAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use openssl::error::ErrorStack;
use openssl::ssl::{
    ErrorCode, Ssl, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslStream, SslVerifyMode, SslVersion,
};
use openssl::x509::X509VerifyResult;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509CheckFlags;

use super::certificates::trusted;
use super::plain_or_tls::ReadAhead;
use super::{Deadline, Doing, LineError, Readiness, Store, wait};
use crate::util::key_store::Identity;

/// What is asked of the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// Nothing.
    Nothing,
    /// An authority vouches for it.
    Authority,
    /// An authority vouches for it, and it is made out for the host.
    AuthorityAndHost,
}

/// What a handshake is made of.
pub struct TlsOptions<'a> {
    /// What is asked of the server's certificate.
    pub verify: Verify,
    /// Certificates that may vouch for the server; without one, the machine's own.
    pub truststore: Option<Store>,
    /// The client's certificate and key, and the file that they are from.
    pub identity: Option<(Identity, &'a Path)>,
}

fn failed(error: ErrorStack) -> LineError {
    LineError::TlsHandshake { reason: error.to_string() }
}

/// What the options ask for, ready for one handshake.
///
/// Not by way of `SslConnector`: it reads the machine's authorities for each handshake, 45 ms of CPU, also where nobody asks
/// for them.
pub fn prepare(options: TlsOptions<'_>, hostname: &str) -> Result<Ssl, LineError> {
    let mut builder = context().map_err(failed)?;
    builder.set_read_ahead(true);
    let verifies = options.verify != Verify::Nothing;
    builder.set_verify(if verifies { SslVerifyMode::PEER } else { SslVerifyMode::NONE });
    // OpenSSL completes the chain of a client's certificate that comes without one from the same authorities.
    let is_bare = options.identity.as_ref().is_some_and(|(identity, _)| identity.chain.is_empty());
    match &options.truststore {
        Some(store) if verifies => {
            let mut roots = X509StoreBuilder::new().map_err(failed)?;
            for certificate in trusted(store)? {
                roots.add_cert(certificate).map_err(failed)?;
            }
            builder.set_cert_store(roots.build());
        }
        _ if verifies || is_bare => machine_authorities(&mut builder).map_err(failed)?,
        Some(_) | None => {}
    }
    if let Some((identity, path)) = options.identity {
        let unfit = |error: ErrorStack| LineError::Store { path: path.to_owned(), reason: error.to_string() };
        builder.set_certificate(&identity.certificate).map_err(unfit)?;
        builder.set_private_key(&identity.key).map_err(unfit)?;
        builder.check_private_key().map_err(unfit)?;
        for certificate in identity.chain {
            builder.add_extra_chain_cert(certificate).map_err(unfit)?;
        }
    }
    let hostname = hostname.trim_start_matches('[').trim_end_matches(']');
    for_host(&builder.build(), hostname, options.verify).map_err(failed)
}

/// A client's context: what is broken in TLS is off, and writes may be taken in part.
fn context() -> Result<SslContextBuilder, ErrorStack> {
    let mut builder = SslContextBuilder::new(SslMethod::tls_client())?;
    // Old servers speak TLS 1.0 and 1.1: OpenSSL's own security level decides, not we.
    builder.set_min_proto_version(Some(SslVersion::TLS1))?;
    // With what OpenSSL does for the sake of faulty servers, but for what weakens CBC against a chosen plaintext.
    builder.set_options((SslOptions::ALL & !SslOptions::DONT_INSERT_EMPTY_FRAGMENTS) | SslOptions::NO_COMPRESSION);
    builder.set_mode(SslMode::AUTO_RETRY | SslMode::ACCEPT_MOVING_WRITE_BUFFER | SslMode::ENABLE_PARTIAL_WRITE);
    builder.set_cipher_list("DEFAULT:!aNULL:!eNULL:!MD5:!3DES:!DES:!RC4:!PSK:!SRP")?;
    Ok(builder)
}

/// Where OpenSSL was installed to look (or `SSL_CERT_FILE` and `SSL_CERT_DIR` say), or, where nothing lies there, where this system has them:
/// one that is linked into a published binary was installed nowhere. What cannot be read vouches for nobody, and the handshake says so.
fn machine_authorities(builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    let mut roots = X509StoreBuilder::new()?;
    roots.set_default_paths()?;
    let roots = roots.build();
    let found = !roots.all_certificates().is_empty();
    builder.set_cert_store(roots);
    if !found
        && !openssl_probe::has_ssl_cert_env_vars()
        && let Some(file) = openssl_probe::probe().cert_file
        && let Err(error) = builder.set_ca_file(&file)
    {
        tracing::warn!(file = %file.display(), %error, "this machine's authorities cannot be read");
    }
    Ok(())
}

/// The host is named to the server (RFC 6066, which has no addresses there), and compared with its certificate where that is asked for.
fn for_host(context: &SslContext, hostname: &str, verify: Verify) -> Result<Ssl, ErrorStack> {
    let mut ssl = Ssl::new(context)?;
    let address: Option<IpAddr> = hostname.parse().ok();
    if address.is_none() {
        ssl.set_hostname(hostname)?;
    }
    if verify == Verify::AuthorityAndHost {
        let parameters = ssl.param_mut();
        parameters.set_hostflags(X509CheckFlags::NO_PARTIAL_WILDCARDS);
        match address {
            Some(address) => parameters.set_ip(address)?,
            None => parameters.set_host(hostname)?,
        }
    }
    Ok(ssl)
}

/// The handshake.
pub fn handshake(
    ssl: Ssl,
    socket: TcpStream,
    hostname: &str,
    deadline: &Deadline,
    stop: &AtomicBool,
) -> Result<SslStream<ReadAhead>, LineError> {
    let mut stream = SslStream::new(ssl, ReadAhead::new(socket)).map_err(failed)?;
    loop {
        let error = match stream.connect() {
            Ok(()) => return Ok(stream),
            Err(error) => error,
        };
        let code = error.code();
        if code == ErrorCode::WANT_READ {
            wait(stream.get_ref().socket(), Readiness::Read, deadline, stop)?;
        } else if code == ErrorCode::WANT_WRITE {
            wait(stream.get_ref().socket(), Readiness::Write, deadline, stop)?;
        } else {
            let verifies = stream.ssl().verify_mode().contains(SslVerifyMode::PEER);
            let verified = if verifies { stream.ssl().verify_result() } else { X509VerifyResult::OK };
            return Err(refusal(error, verified, hostname));
        }
    }
}

fn refusal(error: openssl::ssl::Error, verified: X509VerifyResult, hostname: &str) -> LineError {
    let reason = verified.error_string().to_owned();
    // X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
    if matches!(verified.as_raw(), 62 | 64) {
        return LineError::WrongHost { hostname: hostname.to_owned(), reason };
    }
    if verified != X509VerifyResult::OK {
        return LineError::Untrusted { reason };
    }
    match error.into_io_error() {
        Ok(error) => LineError::Io { doing: Doing::TLS, error },
        Err(error) if error.code() == ErrorCode::SYSCALL || error.to_string().contains("unexpected eof") => {
            LineError::Closed(Doing::TLS)
        }
        Err(error) => LineError::TlsHandshake { reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::{Ipv4Addr, TcpListener};
    use std::time::Duration;

    use openssl::ssl::SslAcceptor;

    use super::*;
    use crate::util::key_store::fixture::self_signed;

    /// One handshake with a server that has a certificate of its own making; `demands`: it wants one of the client too.
    fn shake(verify: Verify, demands: bool) -> Result<(), LineError> {
        let (key, certificate) = self_signed("database");
        let mut acceptor = SslAcceptor::mozilla_intermediate(SslMethod::tls_server()).unwrap();
        acceptor.set_certificate(&certificate).unwrap();
        acceptor.set_private_key(&key).unwrap();
        // Only until TLS 1.2 does a server's refusal come before the client's end of the handshake.
        acceptor.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
        if demands {
            acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        }
        let (acceptor, listener) = (acceptor.build(), TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || acceptor.accept(listener.accept().unwrap().0).map(drop).is_ok());
        let socket = TcpStream::connect(address).unwrap();
        socket.set_nonblocking(true).unwrap();
        let deadline = Deadline::after(Doing::TLS, Some(Duration::from_secs(20)));
        let ssl = prepare(TlsOptions { verify, truststore: None, identity: None }, "localhost")?;
        let result = handshake(ssl, socket, "localhost", &deadline, &AtomicBool::new(false)).map(drop);
        assert_eq!(server.join().unwrap(), result.is_ok());
        result
    }

    #[test]
    fn a_certificate_is_only_blamed_where_it_is_asked_for() {
        shake(Verify::Nothing, false).unwrap();
        let untrusted = shake(Verify::Authority, false);
        assert!(matches!(untrusted, Err(LineError::Untrusted { .. })), "{untrusted:?}");
        let refused = shake(Verify::Nothing, true);
        assert!(matches!(refused, Err(LineError::TlsHandshake { .. })), "{refused:?}");
    }

    /// With `SSL_CERT_FILE` and `SSL_CERT_DIR` that lead nowhere it is as with an OpenSSL that was installed nowhere.
    #[test]
    fn the_machines_authorities_are_found_wherever_openssl_looks() {
        let mut builder = context().unwrap();
        machine_authorities(&mut builder).unwrap();
        let found = builder.build().cert_store().all_certificates().len();
        assert_eq!(found > 0, openssl_probe::probe().cert_file.is_some(), "{found}");
    }
}
