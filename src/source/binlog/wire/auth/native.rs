//! `mysql_native_password`: SHA1(password) XOR SHA1(challenge + SHA1(SHA1(password))).

use openssl::sha::{Sha1, sha1};

/// The answer to a challenge of 20 bytes; empty for an empty password.
pub fn scramble(password: &[u8], challenge: &[u8]) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let once = sha1(password);
    let twice = sha1(&once);
    let mut hash = Sha1::new();
    hash.update(challenge);
    hash.update(&twice);
    once.iter().zip(hash.finish()).map(|(left, right)| left ^ right).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_can_check_the_answer() {
        let challenge = *b"01234567890123456789";
        let answer = scramble(b"secret", &challenge);
        // The server stores SHA1(SHA1(password)) and finds SHA1(password) back.
        let stored = sha1(&sha1(b"secret"));
        let mut hash = Sha1::new();
        hash.update(&challenge);
        hash.update(&stored);
        let once: Vec<u8> = answer.iter().zip(hash.finish()).map(|(left, right)| left ^ right).collect();
        assert_eq!(sha1(&once), stored);
        assert!(scramble(b"", &challenge).is_empty());
    }
}
