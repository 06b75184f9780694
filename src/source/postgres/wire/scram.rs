//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677) as PostgreSQL speaks it: the user's name is that of the
//! start-up message, so the one in the exchange is empty.
//!
//! In: the password, a nonce, what binds the channel, the server's messages. Out: our messages, and in the end the
//! certainty that the server knows the password too. Promised: a server that asks for more work than
//! [`ITERATION_LIMIT`] is refused.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::MessageDigest;
use openssl::pkcs5::pbkdf2_hmac;
use openssl::pkey::PKey;
use openssl::sha::sha256;
use openssl::sign::Signer;

use super::WireError;

/// The mechanism without channel binding.
pub const SCRAM_SHA_256: &str = "SCRAM-SHA-256";
/// The mechanism with channel binding.
pub const SCRAM_SHA_256_PLUS: &str = "SCRAM-SHA-256-PLUS";

/// The most rounds of hashing that a server may ask for: a few seconds of work. PostgreSQL's default is 4,096
/// (`scram_iterations`).
pub const ITERATION_LIMIT: usize = 10_000_000;

/// How the login is bound to the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelBinding {
    /// There is nothing to bind to.
    Unsupported,
    /// We could, and the server offered none: somebody in between may have taken its offer away, which the server then
    /// sees.
    NotOffered,
    /// `tls-server-end-point`, the hash of the server's certificate.
    ServerEndPoint(Vec<u8>),
}

impl ChannelBinding {
    fn header(&self) -> &'static str {
        match self {
            Self::Unsupported => "n,,",
            Self::NotOffered => "y,,",
            Self::ServerEndPoint(_) => "p=tls-server-end-point,,",
        }
    }

    fn data(&self) -> &[u8] {
        match self {
            Self::Unsupported | Self::NotOffered => &[],
            Self::ServerEndPoint(hash) => hash,
        }
    }
}

/// Where the exchange stands.
#[derive(Debug)]
enum Phase {
    Started { password: Vec<u8> },
    Answered { server_signature: [u8; 32] },
    Proven,
}

/// One exchange.
#[derive(Debug)]
pub struct Scram {
    binding: ChannelBinding,
    first_bare: String,
    nonce: String,
    phase: Phase,
}

impl Scram {
    /// Begins with a nonce of printable characters without commas that nobody can guess.
    pub fn new(password: &[u8], binding: ChannelBinding, nonce: &str) -> Self {
        let first_bare = format!("n=,r={nonce}");
        Self { binding, first_bare, nonce: nonce.to_owned(), phase: Phase::Started { password: normalized(password) } }
    }

    /// `client-first-message`.
    pub fn first(&self) -> Vec<u8> {
        format!("{}{}", self.binding.header(), self.first_bare).into_bytes()
    }

    /// The answer to `server-first-message`: `client-final-message`.
    pub fn answer(&mut self, server_first: &[u8]) -> Result<Vec<u8>, WireError> {
        let Phase::Started { password } = &self.phase else {
            return Err(WireError::Scram("the server begins anew in the middle"));
        };
        let text =
            std::str::from_utf8(server_first).map_err(|_| WireError::Scram("the server's message is no text"))?;
        let mut fields = text.split(',');
        let mut field = |name: &str| {
            let found = fields.next().and_then(|field| field.strip_prefix(name)?.strip_prefix('='));
            found.ok_or(WireError::Scram("the server's message lacks nonce, salt or iterations"))
        };
        let (nonce, salt, iterations) = (field("r")?, field("s")?, field("i")?);
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(WireError::Scram("the server's nonce does not continue ours"));
        }
        let salt = STANDARD.decode(salt).map_err(|_| WireError::Scram("the salt is not Base64"))?;
        let iterations = iterations.parse().ok().filter(|count| (1..=ITERATION_LIMIT).contains(count));
        let iterations = iterations.ok_or(WireError::Scram("the number of iterations is absurd"))?;
        let mut salted = [0; 32];
        pbkdf2_hmac(password, &salt, iterations, MessageDigest::sha256(), &mut salted)
            .map_err(|_| WireError::Scram("OpenSSL cannot hash the password"))?;
        let channel = [self.binding.header().as_bytes(), self.binding.data()].concat();
        let without_proof = format!("c={},r={nonce}", STANDARD.encode(channel));
        let message = format!("{},{text},{without_proof}", self.first_bare);
        let client_key = hmac(&salted, b"Client Key")?;
        let signature = hmac(&sha256(&client_key), message.as_bytes())?;
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(key, signature)| key ^ signature).collect();
        let server_signature = hmac(&hmac(&salted, b"Server Key")?, message.as_bytes())?;
        self.phase = Phase::Answered { server_signature };
        Ok(format!("{without_proof},p={}", STANDARD.encode(proof)).into_bytes())
    }

    /// Checks `server-final-message`: the server knows the password.
    pub fn finish(&mut self, server_final: &[u8]) -> Result<(), WireError> {
        let Phase::Answered { server_signature } = &self.phase else {
            return Err(WireError::Scram("the server ends before it was answered"));
        };
        let text = std::str::from_utf8(server_final).unwrap_or_default();
        let signature = text.split(',').next().and_then(|field| field.strip_prefix("v="));
        let signature = signature.and_then(|signature| STANDARD.decode(signature).ok()).unwrap_or_default();
        if signature.len() != server_signature.len() || !openssl::memcmp::eq(&signature, server_signature) {
            return Err(WireError::Scram("the server does not know the password"));
        }
        self.phase = Phase::Proven;
        Ok(())
    }

    /// Whether the server has proven that it knows the password.
    pub fn is_proven(&self) -> bool {
        matches!(self.phase, Phase::Proven)
    }
}

/// SASLprep where it applies; as PostgreSQL, anything else as it is.
fn normalized(password: &[u8]) -> Vec<u8> {
    let prepared = std::str::from_utf8(password).ok().and_then(|text| stringprep::saslprep(text).ok());
    prepared.map_or_else(|| password.to_vec(), |text| text.as_bytes().to_vec())
}

fn hmac(key: &[u8], message: &[u8]) -> Result<[u8; 32], WireError> {
    let sign = || {
        let key = PKey::hmac(key)?;
        let mut out = [0; 32];
        Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot(&mut out, message)?;
        Ok(out)
    };
    sign().map_err(|_: openssl::error::ErrorStack| WireError::Scram("OpenSSL cannot compute an HMAC"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    /// An exchange with the user's name of RFC 7677's example, which PostgreSQL leaves empty.
    fn example() -> Scram {
        let mut scram = Scram::new(b"pencil", ChannelBinding::Unsupported, "rOprNGfwEbeRWgbNEkqO");
        scram.first_bare = "n=user,r=rOprNGfwEbeRWgbNEkqO".to_owned();
        scram
    }

    const SERVER_FIRST: &[u8] =
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    const SERVER_FINAL: &[u8] = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    #[test]
    fn the_example_of_the_rfc() {
        let mut scram = example();
        assert_eq!(scram.first(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let answer = scram.answer(SERVER_FIRST).unwrap();
        assert_eq!(
            String::from_utf8(answer).unwrap(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(!scram.is_proven());
        scram.finish(SERVER_FINAL).unwrap();
        assert!(scram.is_proven());
    }

    #[test]
    fn a_server_that_does_not_know_the_password_is_refused() {
        let mut scram = example();
        assert!(scram.finish(SERVER_FINAL).is_err());
        scram.answer(SERVER_FIRST).unwrap();
        for last in [&b"v=AAAA"[..], b"", b"v=", b"e=other-error", &[0xff, 0xfe]] {
            assert!(scram.finish(last).is_err());
        }
        assert!(!scram.is_proven());
    }

    #[test]
    fn absurd_wishes_of_a_server_are_refused() {
        for first in [
            "",
            "r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=?,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==",
            "m=x,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        ] {
            assert!(example().answer(first.as_bytes()).is_err(), "{first}");
        }
    }
}
