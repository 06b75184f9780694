//! The server's wishes during the login.

use openssl::hash::{MessageDigest, hash};

use super::{Reader, WireError};

/// The body of an `Authentication…` message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication<'a> {
    /// The login is over.
    Ok,
    /// The password as it is.
    CleartextPassword,
    /// The password's MD5 hash, with this salt.
    Md5Password {
        /// The salt.
        salt: [u8; 4],
    },
    /// One of these SASL mechanisms.
    Sasl {
        /// Their names, as the server prefers them.
        mechanisms: Vec<&'a str>,
    },
    /// The exchange goes on.
    SaslContinue(&'a [u8]),
    /// The exchange is over.
    SaslFinal(&'a [u8]),
    /// A method that is not spoken here: its number (Kerberos, GSSAPI, SSPI).
    Other(u32),
}

impl<'a> Authentication<'a> {
    /// Reads the body.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new("Authentication", body);
        Ok(match reader.u32("method")? {
            0 => Self::Ok,
            3 => Self::CleartextPassword,
            5 => {
                let mut salt = [0; 4];
                salt.copy_from_slice(reader.take(4, "salt")?);
                Self::Md5Password { salt }
            }
            10 => {
                let mut mechanisms = Vec::new();
                loop {
                    let name = reader.text("mechanism")?;
                    if name.is_empty() {
                        break Self::Sasl { mechanisms };
                    }
                    mechanisms.push(name);
                }
            }
            11 => Self::SaslContinue(reader.rest()),
            12 => Self::SaslFinal(reader.rest()),
            other => Self::Other(other),
        })
    }
}

/// The answer to [`Authentication::Md5Password`]: `md5` and the hash, in hexadecimal, of the hash of password and user,
/// and the salt. `None` where OpenSSL has no MD5 (FIPS).
pub fn md5_password(user: &str, password: &[u8], salt: [u8; 4]) -> Option<String> {
    let inner = hash(MessageDigest::md5(), &[password, user.as_bytes()].concat()).ok()?;
    let mut salted = hexadecimal(&inner).into_bytes();
    salted.extend_from_slice(&salt);
    let outer = hash(MessageDigest::md5(), &salted).ok()?;
    Some(format!("md5{}", hexadecimal(&outer)))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn passwords_are_hashed_as_libpq_does() {
        // As md5sum has it: of password and user, and of that and the salt.
        assert_eq!(
            md5_password("md5_user", b"password", [0x2a, 0x3d, 0x8f, 0xe0]).unwrap(),
            "md562af4dd09bbb41884907a838a3233294"
        );
    }

    #[test]
    fn methods_are_told_apart() {
        let sasl = b"\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0";
        assert_eq!(
            Authentication::parse(sasl),
            Ok(Authentication::Sasl { mechanisms: vec!["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"] })
        );
        assert_eq!(Authentication::parse(&[0, 0, 0, 0]), Ok(Authentication::Ok));
        assert_eq!(Authentication::parse(&[0, 0, 0, 7]), Ok(Authentication::Other(7)));
        for length in 4..sasl.len() {
            assert!(Authentication::parse(&sasl[..length]).is_err());
        }
        assert!(Authentication::parse(&[0, 0, 0, 5, 1]).is_err());
    }
}
