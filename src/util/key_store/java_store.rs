//! Java keystores (JKS): what Debezium's configurations carry as truststores and keystores.
//!
//! In: a file's bytes. Out: certificates, and a private key opened with its password. Promised: a truncated file or a
//! hostile length is an error. Source: `sun.security.provider.JavaKeyStore` and `KeyProtector` of OpenJDK.
//!
//! The digest at the file's end binds it to its password; it is not asserted, because certificates are no
//! secret, and who can change this file can change the configuration beside it.

use openssl::sha::{Sha1, sha1};

const MAGIC: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
/// First bytes of a JCE keystore: the same layout with another encryption of keys.
const JCEKS_MAGIC: [u8; 4] = [0xce, 0xce, 0xce, 0xce];
/// Bytes of a SHA-1 digest: salt, step of the key stream, and check of a sealed key.
const DIGEST_BYTES: usize = 20;
/// DER of the algorithm 1.3.6.1.4.1.42.2.17.1.1: Sun's own encryption of keys in a JKS.
const KEY_PROTECTOR: [u8; 12] = [0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x2a, 0x02, 0x11, 0x01, 0x01];

/// True when the bytes begin like a Java keystore.
pub fn is_java_store(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC) || bytes.starts_with(&JCEKS_MAGIC)
}

/// An entry of a store.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// DER of an EncryptedPrivateKeyInfo, in the entry of a key.
    pub sealed_key: Option<&'a [u8]>,
    /// DER: the trusted certificate, or the key's own and those above it.
    pub certificates: Vec<&'a [u8]>,
}

/// Reads the entries.
///
/// # Errors
/// With what is wrong with the file.
pub fn parse(bytes: &[u8]) -> Result<Vec<Entry<'_>>, &'static str> {
    let mut reader = Reader(bytes);
    reader.take(4)?;
    let version = reader.big_endian(4)?;
    if !(1..=2).contains(&version) {
        return Err("the version of this Java keystore is neither 1 nor 2");
    }
    let count = reader.big_endian(4)?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let tag = reader.big_endian(4)?;
        let alias = reader.big_endian(2)?;
        reader.take(alias)?;
        reader.take(8)?;
        let (sealed_key, chain) = match tag {
            1 => {
                let length = reader.big_endian(4)?;
                let key = reader.take(length)?;
                (Some(key), reader.big_endian(4)?)
            }
            2 => (None, 1),
            _ => return Err("this Java keystore holds an entry that is neither key nor certificate"),
        };
        let mut certificates = Vec::new();
        for _ in 0..chain {
            if version == 2 {
                let kind = reader.big_endian(2)?;
                reader.take(kind)?;
            }
            let length = reader.big_endian(4)?;
            certificates.push(reader.take(length)?);
        }
        entries.push(Entry { sealed_key, certificates });
    }
    Ok(entries)
}

/// What is left of the bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("this Java keystore ends too soon")?;
        self.0 = rest;
        Ok(taken)
    }

    fn big_endian(&mut self, count: usize) -> Result<usize, &'static str> {
        Ok(self.take(count)?.iter().fold(0, |value, byte| value << 8 | usize::from(*byte)))
    }
}

/// Why a key stays closed.
#[derive(Debug, PartialEq, Eq)]
pub enum Sealed {
    /// The check behind the key does not fit.
    WrongPassword,
    /// Not encrypted as a JKS encrypts.
    Unknown,
}

/// Opens a key: DER of a PKCS#8 PrivateKeyInfo.
///
/// The plain key is XORed with a stream of SHA-1 digests, each of the password (UTF-16) and the digest before; the
/// first is the salt in front. The digest of password and plain key stands behind.
pub fn open_key(sealed: &[u8], password: &str) -> Result<Vec<u8>, Sealed> {
    let sealed = protected(sealed).ok_or(Sealed::Unknown)?;
    let (salt, rest) = sealed.split_first_chunk::<DIGEST_BYTES>().ok_or(Sealed::Unknown)?;
    let (key, check) = rest.split_last_chunk::<DIGEST_BYTES>().ok_or(Sealed::Unknown)?;
    let password: Vec<u8> = password.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut plain = Vec::with_capacity(key.len());
    let mut digest = *salt;
    for part in key.chunks(DIGEST_BYTES) {
        let mut hash = Sha1::new();
        hash.update(&password);
        hash.update(&digest);
        digest = hash.finish();
        plain.extend(part.iter().zip(digest).map(|(left, right)| left ^ right));
    }
    let found = sha1(&[password.as_slice(), plain.as_slice()].concat());
    if found == *check { Ok(plain) } else { Err(Sealed::WrongPassword) }
}

/// The octets inside SEQUENCE { SEQUENCE { algorithm … }, OCTET STRING }.
fn protected(der: &[u8]) -> Option<&[u8]> {
    let mut outer = Reader(der_value(&mut Reader(der), 0x30)?);
    let algorithm = der_value(&mut outer, 0x30)?;
    if !algorithm.starts_with(&KEY_PROTECTOR) {
        return None;
    }
    der_value(&mut outer, 0x04)
}

fn der_value<'a>(reader: &mut Reader<'a>, tag: u8) -> Option<&'a [u8]> {
    if reader.take(1).ok()? != [tag] {
        return None;
    }
    let length = match reader.big_endian(1).ok()? {
        short @ 0..=0x7f => short,
        0x81 => reader.big_endian(1).ok()?,
        0x82 => reader.big_endian(2).ok()?,
        0x83 => reader.big_endian(3).ok()?,
        _ => return None,
    };
    reader.take(length).ok()
}
