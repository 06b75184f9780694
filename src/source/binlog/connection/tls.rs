//! TLS on a connected socket.
//!
//! In: options, a socket. Out: an encrypted line. Promised: the handshake ends at its deadline; a certificate that
//! nobody vouches for, or another host's, is told from a handshake that failed.

use std::net::TcpStream;
use std::sync::atomic::AtomicBool;

use openssl::error::ErrorStack;
use openssl::ssl::{ErrorCode, Ssl, SslConnector, SslMethod, SslStream, SslVerifyMode, SslVersion};
use openssl::x509::X509VerifyResult;
use openssl::x509::store::X509StoreBuilder;

use super::certificates::{identity, trusted};
use super::deadline::{Deadline, Doing, Readiness, wait};
use super::transport::ReadAhead;
use super::{ConnectionError, SslMode, SslOptions};

fn failed(error: ErrorStack) -> ConnectionError {
    ConnectionError::TlsHandshake { reason: error.to_string() }
}

/// What the options ask for, ready for one handshake.
pub fn prepare(options: &SslOptions, hostname: &str) -> Result<Ssl, ConnectionError> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(failed)?;
    // Old servers speak TLS 1.0 and 1.1: OpenSSL's own security level decides, not we.
    builder.set_min_proto_version(Some(SslVersion::TLS1)).map_err(failed)?;
    builder.set_read_ahead(true);
    let verify = match options.mode {
        SslMode::Disabled | SslMode::Preferred | SslMode::Required => SslVerifyMode::NONE,
        SslMode::VerifyCa | SslMode::VerifyIdentity => SslVerifyMode::PEER,
    };
    builder.set_verify(verify);
    if let (Some(store), SslMode::VerifyCa | SslMode::VerifyIdentity) = (&options.truststore, options.mode) {
        let mut roots = X509StoreBuilder::new().map_err(failed)?;
        for certificate in trusted(store)? {
            roots.add_cert(certificate).map_err(failed)?;
        }
        builder.set_cert_store(roots.build());
    }
    if let Some(store) = &options.keystore {
        let identity = identity(store)?;
        let unfit = |error: ErrorStack| ConnectionError::Store { path: store.path.clone(), reason: error.to_string() };
        builder.set_certificate(&identity.certificate).map_err(unfit)?;
        builder.set_private_key(&identity.key).map_err(unfit)?;
        builder.check_private_key().map_err(unfit)?;
        for certificate in identity.chain {
            builder.add_extra_chain_cert(certificate).map_err(unfit)?;
        }
    }
    let mut configuration = builder.build().configure().map_err(failed)?;
    configuration.set_verify_hostname(options.mode == SslMode::VerifyIdentity);
    configuration.into_ssl(hostname.trim_start_matches('[').trim_end_matches(']')).map_err(failed)
}

/// The handshake.
pub fn handshake(
    ssl: Ssl,
    socket: TcpStream,
    hostname: &str,
    deadline: &Deadline,
    stop: &AtomicBool,
) -> Result<SslStream<ReadAhead>, ConnectionError> {
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

fn refusal(error: openssl::ssl::Error, verified: X509VerifyResult, hostname: &str) -> ConnectionError {
    let reason = verified.error_string().to_owned();
    // X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
    if matches!(verified.as_raw(), 62 | 64) {
        return ConnectionError::WrongHost { hostname: hostname.to_owned(), reason };
    }
    if verified != X509VerifyResult::OK {
        return ConnectionError::Untrusted { reason };
    }
    match error.into_io_error() {
        Ok(error) => ConnectionError::Io { doing: Doing::Tls, error },
        Err(error) if error.code() == ErrorCode::SYSCALL || error.to_string().contains("unexpected eof") => {
            ConnectionError::Closed(Doing::Tls)
        }
        Err(error) => ConnectionError::TlsHandshake { reason: error.to_string() },
    }
}
