//! Stores of certificates and keys as Java's clients have them: PEM, PKCS12 and JKS.
//!
//! In: a file's bytes and its passwords. Out: certificates, and the client's key. Promised: the format is told by the
//! first bytes, not by a name or a declared type, as in Java since 9; a wrong password, a truncated file or a hostile
//! length is an error, and no error holds a password.

use openssl::pkcs12::{ParsedPkcs12_2, Pkcs12};
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

#[cfg(test)]
pub mod fixture;
pub mod java_store;
pub mod settings;

/// A store larger than this is no store.
pub const STORE_LIMIT_BYTES: u64 = 16 << 20;

/// The client's certificate, its key, and the certificates between it and its authority.
pub struct Identity {
    /// The client's own certificate.
    pub certificate: X509,
    /// Its key.
    pub key: PKey<Private>,
    /// Certificates in between.
    pub chain: Vec<X509>,
}

/// Why a store cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyStoreError {
    /// What is wrong with it.
    #[error("{0}")]
    Unusable(String),
    /// Its key is encrypted as only Java does; Java's own tool converts it.
    #[error(
        "its private key is encrypted as in a JCE keystore; convert it: keytool -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12"
    )]
    JavaOnly,
}

use KeyStoreError::Unusable;

fn unusable(reason: impl Into<String>) -> KeyStoreError {
    Unusable(reason.into())
}

/// Whether the bytes hold text of PEM.
pub fn is_pem(bytes: &[u8]) -> bool {
    bytes.windows(11).any(|window| window == b"-----BEGIN ")
}

/// The file's bytes, unless it is too large to be a store.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &std::path::Path) -> Result<Vec<u8>, KeyStoreError> {
    let failed = |error: std::io::Error| unusable(error.to_string());
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > STORE_LIMIT_BYTES {
        return Err(unusable(format!("{length} bytes are no store of certificates")));
    }
    std::fs::read(path).map_err(failed)
}

/// Certificates that may vouch for a server.
///
/// # Errors
/// When it is no store, or holds none, or the password does not open it.
pub fn trusted(bytes: &[u8], password: &str) -> Result<Vec<X509>, KeyStoreError> {
    let certificates = if java_store::is_java_store(bytes) {
        let entries = java_store::parse(bytes).map_err(unusable)?;
        x509(entries.into_iter().flat_map(|entry| entry.certificates))?
    } else if is_pem(bytes) {
        X509::stack_from_pem(bytes).map_err(|error| unusable(format!("it is not valid PEM: {error}")))?
    } else {
        let opened = open_pkcs12(bytes, password)?;
        opened.cert.into_iter().chain(opened.ca.into_iter().flatten()).collect()
    };
    if certificates.is_empty() {
        return Err(unusable("there is no certificate in it"));
    }
    Ok(certificates)
}

/// The client's certificate and key. In a JKS the key may have a password of its own.
///
/// # Errors
/// When it is no store, or holds none, or the passwords do not open it.
pub fn identity(bytes: &[u8], password: &str, key_password: Option<&str>) -> Result<Identity, KeyStoreError> {
    let key_password = key_password.unwrap_or(password);
    if java_store::is_java_store(bytes) {
        return java_identity(bytes, key_password);
    }
    if is_pem(bytes) {
        let mut certificates = X509::stack_from_pem(bytes).map_err(|error| unusable(error.to_string()))?.into_iter();
        let certificate = certificates.next().ok_or_else(|| unusable("there is no certificate in it"))?;
        let key = PKey::private_key_from_pem_passphrase(bytes, key_password.as_bytes())
            .map_err(|_| unusable("there is no private key in it that the password opens"))?;
        return Ok(Identity { certificate, key, chain: certificates.collect() });
    }
    let opened = open_pkcs12(bytes, password)?;
    let (Some(certificate), Some(key)) = (opened.cert, opened.pkey) else {
        return Err(unusable("there is no certificate with its private key in it"));
    };
    Ok(Identity { certificate, key, chain: opened.ca.into_iter().flatten().collect() })
}

fn x509<'a>(ders: impl Iterator<Item = &'a [u8]>) -> Result<Vec<X509>, KeyStoreError> {
    ders.map(X509::from_der)
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(format!("a certificate in it cannot be read: {error}")))
}

/// The first private key of a JKS.
fn java_identity(bytes: &[u8], password: &str) -> Result<Identity, KeyStoreError> {
    let entries = java_store::parse(bytes).map_err(unusable)?;
    let entry = entries.into_iter().find(|entry| entry.sealed_key.is_some());
    let Some((sealed, certificates)) = entry.and_then(|entry| Some((entry.sealed_key?, entry.certificates))) else {
        return Err(unusable("there is no certificate with its private key in it"));
    };
    let key = match java_store::open_key(sealed, password) {
        Ok(der) => PKey::private_key_from_der(&der)
            .map_err(|error| unusable(format!("its private key cannot be read: {error}")))?,
        Err(java_store::Sealed::WrongPassword) => return Err(unusable("the password does not open its private key")),
        Err(java_store::Sealed::Unknown) => return Err(KeyStoreError::JavaOnly),
    };
    let mut certificates = x509(certificates.into_iter())?.into_iter();
    let certificate = certificates.next().ok_or_else(|| unusable("its private key has no certificate"))?;
    Ok(Identity { certificate, key, chain: certificates.collect() })
}

fn open_pkcs12(bytes: &[u8], password: &str) -> Result<ParsedPkcs12_2, KeyStoreError> {
    let parsed = Pkcs12::from_der(bytes).map_err(|_| unusable("it is neither PEM nor PKCS12 nor JKS"))?;
    let opened = parsed.parse2(password).or_else(|error| {
        // Java before 17 encrypts certificates with RC2, which OpenSSL 3 keeps in its legacy provider.
        let _legacy = openssl::provider::Provider::try_load(None, "legacy", true).map_err(|_| error)?;
        parsed.parse2(password)
    });
    opened.map_err(|error| unusable(format!("it cannot be opened, most often for a wrong password: {error}")))
}
