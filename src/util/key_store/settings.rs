//! The stores that `ssl.*` settings name, as every client and listener of Kafka has them.
//!
//! In: `ssl.truststore.location`, `.password` or `.certificates`; `ssl.keystore.location`, `.password` or `.certificate.chain`
//! with `.key`; `ssl.key.password` (KIP-651 for what is written out). Out: certificates and a key. Promised: what cannot be
//! used is an error with its setting and place, and without its password.

use std::path::Path;

use openssl::x509::X509;

use super::{Identity, KeyStoreError};

/// A setting's value, by its name; `None` where it is not set, or empty.
pub type Text<'t, 'p> = &'t dyn Fn(&str) -> Option<&'p str>;

/// A setting that cannot be obeyed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", path.as_ref().map_or(String::new(), |path| format!("{path}: ")))]
pub struct SettingError {
    /// Its name.
    pub property: &'static str,
    /// The file that it names, where it names one.
    pub path: Option<String>,
    /// Why not.
    pub reason: KeyStoreError,
}

fn written_out(property: &'static str) -> impl Fn(KeyStoreError) -> SettingError {
    move |reason| SettingError { property, path: None, reason }
}

fn in_file(property: &'static str, path: &str) -> impl Fn(KeyStoreError) -> SettingError {
    move |reason| SettingError { property, path: Some(path.to_owned()), reason }
}

/// Text of PEM: in a file of properties the characters `\n` often stand for the ends of its lines.
fn pem(text: &str) -> String {
    text.replace("\\n", "\n")
}

/// The certificates that vouch for others; `None` where no setting names some.
///
/// # Errors
/// When they cannot be read.
pub fn trusted(text: Text<'_, '_>) -> Result<Option<Vec<X509>>, SettingError> {
    let property = "ssl.truststore.certificates";
    if let Some(certificates) = text(property) {
        return super::trusted(pem(certificates).as_bytes(), "").map(Some).map_err(written_out(property));
    }
    let property = "ssl.truststore.location";
    let Some(path) = text(property) else { return Ok(None) };
    let password = text("ssl.truststore.password").unwrap_or_default();
    let found = super::read(Path::new(path)).and_then(|bytes| super::trusted(&bytes, password));
    found.map(Some).map_err(in_file(property, path))
}

/// The own certificate and its key; `None` where no setting names some.
///
/// # Errors
/// When they cannot be read.
pub fn identity(text: Text<'_, '_>) -> Result<Option<Identity>, SettingError> {
    let key_password = text("ssl.key.password");
    let property = "ssl.keystore.key";
    match (text("ssl.keystore.certificate.chain"), text(property)) {
        (Some(chain), Some(key)) => {
            let both = pem(&format!("{chain}\n{key}\n"));
            let found = super::identity(both.as_bytes(), "", Some(key_password.unwrap_or_default()));
            return found.map(Some).map_err(written_out(property));
        }
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => {
            let reason = "ssl.keystore.certificate.chain and ssl.keystore.key need each other";
            return Err(written_out(property)(super::unusable(reason)));
        }
    }
    let property = "ssl.keystore.location";
    let Some(path) = text(property) else { return Ok(None) };
    let password = text("ssl.keystore.password").unwrap_or_default();
    let found = super::read(Path::new(path)).and_then(|bytes| super::identity(&bytes, password, key_password));
    found.map(Some).map_err(in_file(property, path))
}
