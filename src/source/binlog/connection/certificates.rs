//! Stores of certificates and keys: PEM, PKCS12 and JKS.
//!
//! In: a file and its password. Out: certificates, and the client's key. Promised: the format is told by the
//! file's first bytes, not by its name; a wrong password, a truncated file or a hostile length is an error.

use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use super::{ConnectionError, Store, java_store};

/// A store larger than this is no store.
const STORE_LIMIT_BYTES: u64 = 16 << 20;

/// The client's certificate, its key, and the certificates between it and its authority.
pub struct Identity {
    /// The client's own certificate.
    pub certificate: X509,
    /// Its key.
    pub key: PKey<Private>,
    /// Certificates in between.
    pub chain: Vec<X509>,
}

fn refused(store: &Store, reason: impl Into<String>) -> ConnectionError {
    ConnectionError::Store { path: store.path.clone(), reason: reason.into() }
}

fn read(store: &Store) -> Result<Vec<u8>, ConnectionError> {
    let failed = |error: std::io::Error| refused(store, error.to_string());
    let length = std::fs::metadata(&store.path).map_err(failed)?.len();
    if length > STORE_LIMIT_BYTES {
        return Err(refused(store, format!("{length} bytes are no store of certificates")));
    }
    std::fs::read(&store.path).map_err(failed)
}

fn is_pem(bytes: &[u8]) -> bool {
    bytes.windows(11).any(|window| window == b"-----BEGIN ")
}

fn password(store: &Store) -> &str {
    store.password.as_ref().map(super::Secret::expose).unwrap_or_default()
}

/// Certificates that may vouch for a server.
pub fn trusted(store: &Store) -> Result<Vec<X509>, ConnectionError> {
    let bytes = read(store)?;
    let certificates = if java_store::is_java_store(&bytes) {
        let entries = java_store::parse(&bytes).map_err(|error| refused(store, error.to_string()))?;
        x509(store, entries.into_iter().flat_map(|entry| entry.certificates))?
    } else if is_pem(&bytes) {
        X509::stack_from_pem(&bytes).map_err(|error| refused(store, error.to_string()))?
    } else {
        let opened = open_pkcs12(store, &bytes)?;
        opened.cert.into_iter().chain(opened.ca.into_iter().flatten()).collect()
    };
    if certificates.is_empty() {
        return Err(refused(store, "there is no certificate in it"));
    }
    Ok(certificates)
}

/// The client's certificate and key.
pub fn identity(store: &Store) -> Result<Identity, ConnectionError> {
    let bytes = read(store)?;
    if java_store::is_java_store(&bytes) {
        return java_identity(store, &bytes);
    }
    if is_pem(&bytes) {
        let mut certificates =
            X509::stack_from_pem(&bytes).map_err(|error| refused(store, error.to_string()))?.into_iter();
        let certificate = certificates.next().ok_or_else(|| refused(store, "there is no certificate in it"))?;
        let key = PKey::private_key_from_pem_passphrase(&bytes, password(store).as_bytes())
            .map_err(|_| refused(store, "there is no private key in it that the password opens"))?;
        return Ok(Identity { certificate, key, chain: certificates.collect() });
    }
    let opened = open_pkcs12(store, &bytes)?;
    let (Some(certificate), Some(key)) = (opened.cert, opened.pkey) else {
        return Err(refused(store, "there is no certificate with its private key in it"));
    };
    Ok(Identity { certificate, key, chain: opened.ca.into_iter().flatten().collect() })
}

fn x509<'a>(store: &Store, ders: impl Iterator<Item = &'a [u8]>) -> Result<Vec<X509>, ConnectionError> {
    ders.map(X509::from_der)
        .collect::<Result<_, _>>()
        .map_err(|error| refused(store, format!("a certificate in it cannot be read: {error}")))
}

/// The first private key of a JKS. One that is encrypted otherwise is for Java's own tool to convert.
fn java_identity(store: &Store, bytes: &[u8]) -> Result<Identity, ConnectionError> {
    let entries = java_store::parse(bytes).map_err(|error| refused(store, error.to_string()))?;
    let entry = entries.into_iter().find(|entry| entry.sealed_key.is_some());
    let Some((sealed, certificates)) = entry.and_then(|entry| Some((entry.sealed_key?, entry.certificates))) else {
        return Err(refused(store, "there is no certificate with its private key in it"));
    };
    let key = match java_store::open_key(sealed, password(store)) {
        Ok(der) => PKey::private_key_from_der(&der)
            .map_err(|error| refused(store, format!("its private key cannot be read: {error}")))?,
        Err(java_store::Sealed::WrongPassword) => {
            return Err(refused(store, "the password does not open its private key"));
        }
        Err(java_store::Sealed::Unknown) => {
            return Err(ConnectionError::JavaKeystore { path: store.path.clone() });
        }
    };
    let mut certificates = x509(store, certificates.into_iter())?.into_iter();
    let certificate = certificates.next().ok_or_else(|| refused(store, "its private key has no certificate"))?;
    Ok(Identity { certificate, key, chain: certificates.collect() })
}

fn open_pkcs12(store: &Store, bytes: &[u8]) -> Result<openssl::pkcs12::ParsedPkcs12_2, ConnectionError> {
    let parsed = Pkcs12::from_der(bytes).map_err(|_| refused(store, "it is neither PEM nor PKCS12 nor JKS"))?;
    let opened = parsed.parse2(password(store)).or_else(|error| {
        // Java before 17 encrypts certificates with RC2, which OpenSSL 3 keeps in its legacy provider.
        let _legacy = openssl::provider::Provider::try_load(None, "legacy", true).map_err(|_| error)?;
        parsed.parse2(password(store))
    });
    opened.map_err(|error| refused(store, format!("it cannot be opened, most often for a wrong password: {error}")))
}

#[cfg(test)]
mod tests;
