//! A password under the server's RSA key, for `sha256_password` and `caching_sha2_password` without TLS.
//!
//! The password (with its closing zero) is XORed with the repeated challenge and encrypted with RSA-OAEP
//! (SHA-1), as `sql/auth/sha2_password.cc` decrypts it.

use openssl::pkey::PKey;
use openssl::rsa::Padding;

use super::super::WireError;

/// Asks a `sha256_password` server for its key.
pub const REQUEST_SHA256: u8 = 1;
/// Asks a `caching_sha2_password` server for its key.
pub const REQUEST_CACHING_SHA2: u8 = 2;

/// Encrypts `password` (zero-terminated) for the owner of the PEM `key`.
pub fn encrypt(plugin: &'static str, password: &[u8], challenge: &[u8], key: &[u8]) -> Result<Vec<u8>, WireError> {
    let failed = |reason: &str| WireError::Crypto { plugin, reason: reason.to_owned() };
    if challenge.is_empty() {
        return Err(failed("the server sent no challenge"));
    }
    let mixed: Vec<u8> = password.iter().zip(challenge.iter().cycle()).map(|(left, right)| left ^ right).collect();
    let key = PKey::public_key_from_pem(key)
        .and_then(|key| key.rsa())
        .map_err(|_| failed("the server's answer is not an RSA public key"))?;
    // OAEP with SHA-1 takes 42 bytes of the key's size.
    if mixed.len() + 42 > key.size() as usize {
        return Err(failed("the password is too long for the server's RSA key"));
    }
    let mut out = vec![0; key.size() as usize];
    let length = key
        .public_encrypt(&mixed, &mut out, Padding::PKCS1_OAEP)
        .map_err(|_| failed("the password could not be encrypted with the server's RSA key"))?;
    out.truncate(length);
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use openssl::rsa::Rsa;

    #[test]
    fn the_owner_of_the_key_finds_the_password() {
        let pair = Rsa::generate(2048).unwrap();
        let pem = pair.public_key_to_pem().unwrap();
        let challenge = b"01234567890123456789";
        let sealed = encrypt("sha256_password", b"secret\0", challenge, &pem).unwrap();
        let mut opened = vec![0; pair.size() as usize];
        let length = pair.private_decrypt(&sealed, &mut opened, Padding::PKCS1_OAEP).unwrap();
        let found: Vec<u8> = opened.iter().take(length).zip(challenge.iter().cycle()).map(|(l, r)| l ^ r).collect();
        assert_eq!(found, b"secret\0");
        assert!(encrypt("sha256_password", &[1; 300], challenge, &pem).is_err());
        assert!(encrypt("sha256_password", b"x", challenge, b"<html>").is_err());
        assert!(encrypt("sha256_password", b"x", b"", &pem).is_err());
    }
}
