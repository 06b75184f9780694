//! TLS of the registry's client: Java's keystore settings, with PEM, PKCS12 and JKS files.

use ureq::tls::TlsConfig;

use crate::serialize::error::SerializeError;
use crate::util::class_options::Options;
use crate::util::http;
use crate::util::key_store::settings::{self, SettingError};

/// What the client's settings say, which have the prefix that converters give them, or none.
pub(super) fn tls(options: &Options<'_>) -> Result<TlsConfig, SerializeError> {
    let refused = |error: SettingError| {
        let path = error.path.map_or(String::new(), |path| format!("={path}"));
        let setting = format!("schema.registry.{}{path}", error.property);
        SerializeError::RegistryTls { setting, reason: error.reason.to_string() }
    };
    let checks = "schema.registry.ssl.endpoint.identification.algorithm";
    if options.text(checks).is_some_and(|value| !value.eq_ignore_ascii_case("https")) {
        return Err(SerializeError::Unsupported {
            what: checks.into(),
            reason: "the registry's host name is always checked; give its certificate that name".into(),
        });
    }
    let text = |name: &str| options.text(&format!("schema.registry.{name}")).or_else(|| options.text(name));
    let (trusted, identity) = (settings::trusted(&text).map_err(refused)?, settings::identity(&text).map_err(refused)?);
    http::tls(trusted.as_deref(), identity.as_ref()).map_err(|error| SerializeError::RegistryTls {
        setting: "schema.registry.ssl".into(),
        reason: error.to_string(),
    })
}
