//! Login plugins: what the client answers to a challenge.
//!
//! In: the plugin's name, the server's challenge, the password, whether the line is encrypted. Out: the bytes
//! of the next packet, or the refusal to send a password in the clear. Promised: a password leaves this room
//! only hashed, encrypted with the server's RSA key, or when the caller says that the line is encrypted.
//! One plugin, one file.
//!
//! | plugin | server | without TLS |
//! |---|---|---|
//! | `mysql_native_password` | both | SHA-1 challenge |
//! | `caching_sha2_password` | MySQL 8, MariaDB 12 | SHA-256 challenge; password under the RSA key when the cache is cold |
//! | `sha256_password` | MySQL | password under the RSA key |
//! | `mysql_clear_password` | both (LDAP, PAM) | refused |
//! | `client_ed25519` | MariaDB | signature |
//! | `parsec` | MariaDB 11.6 | signature |

mod caching_sha2;
mod ed25519;
mod native;
mod parsec;
mod rsa;

use super::WireError;
use super::read::Reader;

/// A login plugin that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plugin {
    /// `mysql_native_password`.
    Native,
    /// `caching_sha2_password`.
    CachingSha2,
    /// `sha256_password`.
    Sha256,
    /// `mysql_clear_password`.
    Clear,
    /// `client_ed25519`.
    Ed25519,
    /// `parsec`.
    Parsec,
}

impl Plugin {
    /// By its name on the wire.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "mysql_native_password" => Self::Native,
            "caching_sha2_password" => Self::CachingSha2,
            "sha256_password" => Self::Sha256,
            "mysql_clear_password" => Self::Clear,
            "client_ed25519" => Self::Ed25519,
            "parsec" => Self::Parsec,
            _ => return None,
        })
    }

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "mysql_native_password",
            Self::CachingSha2 => "caching_sha2_password",
            Self::Sha256 => "sha256_password",
            Self::Clear => "mysql_clear_password",
            Self::Ed25519 => "client_ed25519",
            Self::Parsec => "parsec",
        }
    }
}

/// What the client does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this packet and read the next one.
    Send(Vec<u8>),
    /// Read the next packet.
    Wait,
    /// The password would have to be sent readable on a readable line.
    RefuseClear,
}

/// The conversation of one login plugin.
#[derive(Clone, Debug)]
pub struct Login<'a> {
    plugin: Plugin,
    challenge: Vec<u8>,
    password: &'a [u8],
    encrypted: bool,
}

impl<'a> Login<'a> {
    /// Begins with the server's `challenge`. `encrypted`: nobody on the line can read it.
    pub fn new(plugin: Plugin, challenge: &[u8], password: &'a [u8], encrypted: bool) -> Self {
        // A zero byte closes the challenge in some messages and not in others.
        let challenge = match (plugin, challenge) {
            (Plugin::Ed25519 | Plugin::Parsec, whole) => whole,
            (_, [challenge @ .., 0]) => challenge,
            (_, whole) => whole,
        };
        Self { plugin, challenge: challenge.to_vec(), password, encrypted }
    }

    /// The plugin.
    pub fn plugin(&self) -> Plugin {
        self.plugin
    }

    /// The plugin's first message.
    pub fn first(&self) -> Result<Step, WireError> {
        Ok(match self.plugin {
            Plugin::Native => Step::Send(native::scramble(self.password, &self.challenge)),
            Plugin::CachingSha2 => Step::Send(caching_sha2::scramble(self.password, &self.challenge)),
            Plugin::Sha256 if self.password.is_empty() => Step::Send(vec![0]),
            Plugin::Sha256 if self.encrypted => Step::Send(with_zero(self.password)),
            Plugin::Sha256 => Step::Send(vec![rsa::REQUEST_SHA256]),
            Plugin::Clear if self.encrypted => Step::Send(with_zero(self.password)),
            Plugin::Clear => Step::RefuseClear,
            Plugin::Ed25519 => Step::Send(ed25519::sign(self.password, &self.challenge).to_vec()),
            Plugin::Parsec => Step::Send(Vec::new()),
        })
    }

    /// Answers a packet of the plugin: the payload without the marker 0x01 that may stand before it.
    pub fn next(&self, data: &[u8]) -> Result<Step, WireError> {
        match self.plugin {
            Plugin::CachingSha2 => match data {
                [caching_sha2::FAST_LOGIN_DONE] => Ok(Step::Wait),
                [caching_sha2::FULL_LOGIN] if self.encrypted => Ok(Step::Send(with_zero(self.password))),
                [caching_sha2::FULL_LOGIN] => Ok(Step::Send(vec![rsa::REQUEST_CACHING_SHA2])),
                key => self.under_key(key),
            },
            Plugin::Sha256 => self.under_key(data),
            Plugin::Parsec => parsec::sign(self.password, &self.challenge, data).map(Step::Send),
            Plugin::Native | Plugin::Clear | Plugin::Ed25519 => Err(WireError::Malformed {
                message: "login",
                reason: "the server asks a second question of a plugin that has only one",
            }),
        }
    }

    fn under_key(&self, key: &[u8]) -> Result<Step, WireError> {
        rsa::encrypt(self.plugin.name(), &with_zero(self.password), &self.challenge, key).map(Step::Send)
    }
}

fn with_zero(password: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(password.len() + 1);
    out.extend_from_slice(password);
    out.push(0);
    out
}

/// A packet of the server during login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginPacket<'a> {
    /// Logged in.
    Ok,
    /// Refused: the ERR payload.
    Error(&'a [u8]),
    /// Log in with another plugin and challenge.
    Switch {
        /// The plugin's name.
        plugin: &'a str,
        /// Its challenge.
        challenge: &'a [u8],
    },
    /// The login of servers before 4.1, whose hash gives the password away.
    OldPassword,
    /// A message for the plugin.
    Plugin(&'a [u8]),
}

/// Reads a packet that comes during login.
pub fn parse_login(payload: &[u8]) -> Result<LoginPacket<'_>, WireError> {
    match payload.split_first() {
        None => Err(WireError::Truncated { message: "login packet", field: "marker" }),
        Some((0x00, _)) => Ok(LoginPacket::Ok),
        Some((0xff, _)) => Ok(LoginPacket::Error(payload)),
        Some((0xfe, [])) => Ok(LoginPacket::OldPassword),
        Some((0xfe, rest)) => {
            let mut reader = Reader::new("authentication switch", rest);
            let plugin = std::str::from_utf8(reader.until_nul("plugin name")?).map_err(|_| WireError::Malformed {
                message: "authentication switch",
                reason: "the plugin's name is not UTF-8",
            })?;
            if plugin == "mysql_old_password" {
                return Ok(LoginPacket::OldPassword);
            }
            Ok(LoginPacket::Switch { plugin, challenge: reader.rest() })
        }
        Some((0x01, rest)) => Ok(LoginPacket::Plugin(rest)),
        // MariaDB sends a plugin's message without the marker when its first byte is unmistakable.
        Some(_) => Ok(LoginPacket::Plugin(payload)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_password_never_leaves_readable_on_a_readable_line() {
        for plugin in [Plugin::Native, Plugin::CachingSha2, Plugin::Sha256, Plugin::Clear, Plugin::Ed25519] {
            let login = Login::new(plugin, &[7; 32], b"secret word", false);
            let mut sent = Vec::new();
            for step in [login.first(), login.next(&[4]), login.next(&[3]), login.next(b"no key")] {
                if let Ok(Step::Send(bytes)) = step {
                    sent.extend(bytes);
                }
            }
            assert!(!sent.windows(6).any(|window| window == b"secret"), "{plugin:?}");
        }
    }

    #[test]
    fn clear_passwords_need_tls() {
        assert_eq!(Login::new(Plugin::Clear, &[], b"pw", false).first().unwrap(), Step::RefuseClear);
        assert_eq!(Login::new(Plugin::Clear, &[], b"pw", true).first().unwrap(), Step::Send(b"pw\0".to_vec()));
    }

    #[test]
    fn login_packets_are_told_apart() {
        assert_eq!(parse_login(b"\0").unwrap(), LoginPacket::Ok);
        assert_eq!(parse_login(b"\xfe").unwrap(), LoginPacket::OldPassword);
        assert_eq!(
            parse_login(b"\xfeclient_ed25519\0abc").unwrap(),
            LoginPacket::Switch { plugin: "client_ed25519", challenge: b"abc" }
        );
        assert_eq!(parse_login(b"\x01\x04").unwrap(), LoginPacket::Plugin(b"\x04"));
        assert_eq!(parse_login(b"P\0salt").unwrap(), LoginPacket::Plugin(b"P\0salt"));
        assert!(parse_login(b"").is_err());
        assert!(parse_login(b"\xfename without end").is_err());
    }
}
