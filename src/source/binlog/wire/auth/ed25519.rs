//! MariaDB's `client_ed25519`: an Ed25519 signature of the challenge whose secret scalar and prefix are
//! SHA-512(password), not SHA-512 of a 32-byte seed.

use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign};
use ed25519_dalek::{SIGNATURE_LENGTH, VerifyingKey};
use openssl::sha::sha512;
use sha2::Sha512;

/// The signature of the challenge.
pub fn sign(password: &[u8], challenge: &[u8]) -> [u8; SIGNATURE_LENGTH] {
    let secret = ExpandedSecretKey::from_bytes(&sha512(password));
    let public = VerifyingKey::from(&secret);
    raw_sign::<Sha512>(&secret, challenge, &public).to_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use base64::Engine;

    #[test]
    fn the_public_key_is_the_one_mariadb_stores() {
        // MariaDB knowledge base: ed25519_password("secret").
        let secret = ExpandedSecretKey::from_bytes(&sha512(b"secret"));
        let public = VerifyingKey::from(&secret);
        let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(public.as_bytes());
        assert_eq!(text, "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY");
        let signature = ed25519_dalek::Signature::from_bytes(&sign(b"secret", b"challenge"));
        assert!(public.verify_strict(b"challenge", &signature).is_ok());
    }
}
