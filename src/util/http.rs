//! Clients of HTTP: whom they trust, and who they say they are.
//!
//! In: certificates and a key, where there are some. Out: TLS for the client library. Promised: it is OpenSSL's, which is
//! what this program has: asked for anything else, the library panics.

use openssl::error::ErrorStack;
use openssl::x509::{X509, X509Ref};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsConfigBuilder, TlsProvider};

use super::key_store::{Identity, KeyStoreError};

/// TLS with servers that these certificates vouch for (without any: those that the operating system trusts), for a client
/// that has this certificate and key, if it has any.
///
/// # Errors
/// When a certificate or the key cannot be written as the library wants it.
pub fn tls(trusted: Option<&[X509]>, identity: Option<&Identity>) -> Result<TlsConfig, KeyStoreError> {
    let failed = |error: ErrorStack| KeyStoreError::Unusable(error.to_string());
    let mut tls = system();
    if let Some(trusted) = trusted {
        let roots: Vec<_> =
            trusted.iter().map(|certificate| der(certificate)).collect::<Result<_, _>>().map_err(failed)?;
        tls = tls.root_certs(RootCerts::new_with_certs(&roots));
    }
    if let Some(identity) = identity {
        let chain = std::iter::once(&identity.certificate).chain(&identity.chain);
        let chain: Vec<_> = chain.map(|certificate| der(certificate)).collect::<Result<_, _>>().map_err(failed)?;
        let key = identity.key.private_key_to_pem_pkcs8().map_err(failed)?;
        let key = PrivateKey::from_pem(&key).map_err(|error| KeyStoreError::Unusable(error.to_string()))?;
        tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
    }
    Ok(tls.build())
}

/// TLS with servers that the operating system trusts.
pub fn system_tls() -> TlsConfig {
    system().build()
}

/// TLS with a server that nobody need vouch for: one that is told no secret.
pub fn unverified_tls() -> TlsConfig {
    system().disable_verification(true).build()
}

fn system() -> TlsConfigBuilder {
    TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(RootCerts::PlatformVerifier)
}

fn der(certificate: &X509Ref) -> Result<Certificate<'static>, ErrorStack> {
    Ok(Certificate::from_der(&certificate.to_der()?).to_owned())
}
