//! Stores of certificates and keys: PEM, PKCS12, and the certificates of a JKS.
//!
//! In: a file and its password. Out: certificates, and the client's key. Promised: the format is told by the
//! file's first bytes, not by its name; a wrong password, a truncated file or a hostile length is an error.

use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use super::super::wire::WireError;
use super::super::wire::read::Reader;
use super::{ConnectionError, Store};

/// A store larger than this is no store.
const STORE_LIMIT_BYTES: u64 = 16 << 20;
/// First bytes of a Java keystore.
const JKS_MAGIC: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
/// First bytes of a JCE keystore: the same layout with other key encryption.
const JCEKS_MAGIC: [u8; 4] = [0xce, 0xce, 0xce, 0xce];

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

fn is_java(bytes: &[u8]) -> bool {
    bytes.starts_with(&JKS_MAGIC) || bytes.starts_with(&JCEKS_MAGIC)
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
    let certificates = if is_java(&bytes) {
        let ders = parse_java_store(&bytes).map_err(|error| refused(store, error.to_string()))?;
        ders.into_iter()
            .map(X509::from_der)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| refused(store, format!("a certificate in it cannot be read: {error}")))?
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
    if is_java(&bytes) {
        return Err(ConnectionError::JavaKeystore { path: store.path.clone() });
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

fn open_pkcs12(store: &Store, bytes: &[u8]) -> Result<openssl::pkcs12::ParsedPkcs12_2, ConnectionError> {
    let parsed = Pkcs12::from_der(bytes).map_err(|_| refused(store, "it is neither PEM nor PKCS12 nor JKS"))?;
    let opened = parsed.parse2(password(store)).or_else(|error| {
        // Java before 17 encrypts certificates with RC2, which OpenSSL 3 keeps in its legacy provider.
        let _legacy = openssl::provider::Provider::try_load(None, "legacy", true).map_err(|_| error)?;
        parsed.parse2(password(store))
    });
    opened.map_err(|error| refused(store, format!("it cannot be opened, most often for a wrong password: {error}")))
}

/// The plain certificates of a JKS: the layout of `sun.security.provider.JavaKeyStore`.
///
/// The digest at the end binds the file to its password; it is not asserted, because the certificates are no
/// secret and who can change this file can change the configuration beside it.
pub fn parse_java_store(bytes: &[u8]) -> Result<Vec<&[u8]>, WireError> {
    let malformed = |reason| WireError::Malformed { message: "Java keystore", reason };
    let mut reader = Reader::new("Java keystore", bytes);
    reader.take(4, "magic")?;
    let version = big_endian(&mut reader, 4, "version")?;
    if !(1..=2).contains(&version) {
        return Err(malformed("its version is neither 1 nor 2"));
    }
    let entries = big_endian(&mut reader, 4, "entry count")?;
    let mut certificates = Vec::new();
    for _ in 0..entries {
        let tag = big_endian(&mut reader, 4, "entry tag")?;
        let alias = big_endian(&mut reader, 2, "alias length")?;
        reader.take(alias, "alias")?;
        reader.take(8, "time stamp")?;
        let count = match tag {
            1 => {
                let key = big_endian(&mut reader, 4, "key length")?;
                reader.take(key, "key")?;
                big_endian(&mut reader, 4, "chain length")?
            }
            2 => 1,
            _ => {
                return Err(malformed("it holds an entry that is neither key nor certificate"));
            }
        };
        for _ in 0..count {
            if version == 2 {
                let kind = big_endian(&mut reader, 2, "certificate type")?;
                reader.take(kind, "certificate type")?;
            }
            let length = big_endian(&mut reader, 4, "certificate length")?;
            certificates.push(reader.take(length, "certificate")?);
        }
    }
    Ok(certificates)
}

fn big_endian(reader: &mut Reader<'_>, count: usize, field: &'static str) -> Result<usize, WireError> {
    Ok(reader.take(count, field)?.iter().fold(0, |value, byte| value << 8 | usize::from(*byte)))
}
