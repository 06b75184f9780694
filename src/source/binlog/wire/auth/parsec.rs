//! MariaDB's `parsec` (11.6): an Ed25519 key made from the password with PBKDF2 signs both challenges.
//!
//! Source: MariaDB knowledge base, "Authentication plugin - PARSEC": the server sends `P`, the iteration
//! factor and the salt; the client answers its own challenge of 32 bytes and the signature.

use ed25519_dalek::{Signer, SigningKey};
use openssl::hash::MessageDigest;
use openssl::pkcs5::pbkdf2_hmac;

use super::super::WireError;
use super::super::read::Reader;

/// Bytes of each side's challenge.
const CHALLENGE_BYTES: usize = 32;
/// The largest iteration factor the server can store: 1024 << 3 rounds.
const FACTOR_LIMIT: u8 = 3;

/// The answer to the server's salt.
pub fn sign(password: &[u8], challenge: &[u8], salt: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut client = [0; CHALLENGE_BYTES];
    openssl::rand::rand_bytes(&mut client).map_err(|error| failed(&error.to_string()))?;
    sign_with(password, challenge, salt, client)
}

fn failed(reason: &str) -> WireError {
    WireError::Crypto { plugin: "parsec", reason: reason.to_owned() }
}

fn sign_with(
    password: &[u8],
    challenge: &[u8],
    salt: &[u8],
    client: [u8; CHALLENGE_BYTES],
) -> Result<Vec<u8>, WireError> {
    let mut reader = Reader::new("parsec salt", salt);
    if reader.u8("algorithm")? != b'P' {
        return Err(failed("the server's key derivation is not PBKDF2"));
    }
    let factor = reader.u8("iteration factor")?;
    if factor > FACTOR_LIMIT {
        return Err(failed("the server's iteration factor is out of range"));
    }
    let Some(challenge) = challenge.get(..CHALLENGE_BYTES) else {
        return Err(failed("the server's challenge is shorter than 32 bytes"));
    };
    let mut seed = [0; 32];
    pbkdf2_hmac(password, reader.rest(), 1024 << factor, MessageDigest::sha512(), &mut seed)
        .map_err(|error| failed(&error.to_string()))?;
    let mut message = challenge.to_vec();
    message.extend_from_slice(&client);
    let signature = SigningKey::from_bytes(&seed).sign(&message);
    let mut out = client.to_vec();
    out.extend_from_slice(&signature.to_bytes());
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn hostile_salts_are_errors() {
        assert_eq!(sign(b"pw", &[1; 32], b"P\0saltsaltsaltsalt").unwrap().len(), 96);
        for salt in [&b""[..], b"P", b"Q\0salt", b"P\x04salt"] {
            assert!(sign(b"pw", &[1; 32], salt).is_err());
        }
        assert!(sign(b"pw", &[1; 31], b"P\0salt").is_err());
    }
}
