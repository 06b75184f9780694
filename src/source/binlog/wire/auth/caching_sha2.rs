//! `caching_sha2_password`: SHA256(password) XOR SHA256(SHA256(SHA256(password)) + challenge), and the whole
//! password when the server does not have it in its cache.

use openssl::sha::{Sha256, sha256};

/// The server's message: the cache knew the password.
pub const FAST_LOGIN_DONE: u8 = 3;
/// The server's message: send the password.
pub const FULL_LOGIN: u8 = 4;

/// The answer to a challenge of 20 bytes; empty for an empty password.
pub fn scramble(password: &[u8], challenge: &[u8]) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let once = sha256(password);
    let twice = sha256(&once);
    let mut hash = Sha256::new();
    hash.update(&twice);
    hash.update(challenge);
    once.iter().zip(hash.finish()).map(|(left, right)| left ^ right).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_can_check_the_answer() {
        let challenge = *b"01234567890123456789";
        let answer = scramble(b"secret", &challenge);
        let stored = sha256(&sha256(b"secret"));
        let mut hash = Sha256::new();
        hash.update(&stored);
        hash.update(&challenge);
        let once: Vec<u8> = answer.iter().zip(hash.finish()).map(|(left, right)| left ^ right).collect();
        assert_eq!(sha256(&once), stored);
    }
}
