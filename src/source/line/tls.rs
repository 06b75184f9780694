//! TLS on a connected socket.
//!
//! In: options, a socket. Out: an encrypted line. Promised: the handshake ends at its deadline; a certificate that
//! nobody vouches for, or another host's, is told from a handshake that failed.

use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use openssl::error::ErrorStack;
use openssl::ssl::{ErrorCode, Ssl, SslConnector, SslMethod, SslStream, SslVerifyMode, SslVersion};
use openssl::x509::X509VerifyResult;
use openssl::x509::store::X509StoreBuilder;

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
pub fn prepare(options: TlsOptions<'_>, hostname: &str) -> Result<Ssl, LineError> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(failed)?;
    // Old servers speak TLS 1.0 and 1.1: OpenSSL's own security level decides, not we.
    builder.set_min_proto_version(Some(SslVersion::TLS1)).map_err(failed)?;
    builder.set_read_ahead(true);
    let verifies = options.verify != Verify::Nothing;
    builder.set_verify(if verifies { SslVerifyMode::PEER } else { SslVerifyMode::NONE });
    if let (Some(store), true) = (&options.truststore, verifies) {
        let mut roots = X509StoreBuilder::new().map_err(failed)?;
        for certificate in trusted(store)? {
            roots.add_cert(certificate).map_err(failed)?;
        }
        builder.set_cert_store(roots.build());
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
    let mut configuration = builder.build().configure().map_err(failed)?;
    configuration.set_verify_hostname(options.verify == Verify::AuthorityAndHost);
    configuration.into_ssl(hostname.trim_start_matches('[').trim_end_matches(']')).map_err(failed)
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
            return Err(refusal(error, stream.ssl().verify_result(), hostname));
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
