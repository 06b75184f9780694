//! TLS of the registry's client: Java's keystore settings, with PEM, PKCS12 and JKS files.

use openssl::x509::X509;
use ureq::tls::TlsConfig;

use crate::serialize::error::SerializeError;
use crate::util::key_store::{self, Identity};
use crate::util::{class_options::Options, http};

/// What was configured.
pub(super) struct TlsSettings {
    trust: Option<Store>,
    identity: Option<Store>,
}

/// A truststore or keystore.
struct Store {
    /// The setting it was named in.
    setting: &'static str,
    content: Vec<u8>,
    password: String,
    key_password: Option<String>,
}

/// The settings' names with the prefix that converters have, and without.
fn option<'c>(options: &Options<'c>, name: &str) -> Option<&'c str> {
    options.text(&format!("schema.registry.{name}")).or_else(|| options.text(name))
}

impl TlsSettings {
    pub(super) fn read(options: &Options<'_>) -> Result<Self, SerializeError> {
        if options
            .text("schema.registry.ssl.endpoint.identification.algorithm")
            .is_some_and(|value| !value.eq_ignore_ascii_case("https"))
        {
            return Err(SerializeError::Unsupported {
                what: "schema.registry.ssl.endpoint.identification.algorithm".into(),
                reason: "the registry's host name is always checked; give its certificate that name".into(),
            });
        }
        let trust = match option(options, "ssl.truststore.certificates") {
            Some(text) => Some(Store::inline("schema.registry.ssl.truststore.certificates", text.into())),
            None => Store::file(options, "schema.registry.ssl.truststore.location", "ssl.truststore")?,
        };
        let identity = match (option(options, "ssl.keystore.certificate.chain"), option(options, "ssl.keystore.key")) {
            (Some(chain), Some(key)) => {
                Some(Store::inline("schema.registry.ssl.keystore.key", format!("{chain}\n{key}\n")))
            }
            (None, None) => Store::file(options, "schema.registry.ssl.keystore.location", "ssl.keystore")?,
            _ => {
                let reason = "ssl.keystore.certificate.chain and ssl.keystore.key need each other".into();
                return Err(SerializeError::RegistryTls { setting: "schema.registry.ssl.keystore.key".into(), reason });
            }
        };
        Ok(TlsSettings { trust, identity })
    }

    /// The TLS configuration of the HTTP client.
    pub(super) fn build(&self) -> Result<TlsConfig, SerializeError> {
        let trusted = self.trust.as_ref().map(Store::certificates).transpose()?;
        let identity = self.identity.as_ref().map(Store::identity).transpose()?;
        http::tls(trusted.as_deref(), identity.as_ref()).map_err(|error| {
            let setting =
                self.identity.as_ref().or(self.trust.as_ref()).map_or("schema.registry.ssl", |store| store.setting);
            SerializeError::RegistryTls { setting: setting.into(), reason: error.to_string() }
        })
    }
}

impl Store {
    fn inline(setting: &'static str, text: String) -> Store {
        // In properties files PEM text is often written with the characters `\n` for line ends.
        Store { setting, content: text.replace("\\n", "\n").into(), password: String::new(), key_password: None }
    }

    fn file(options: &Options<'_>, setting: &'static str, prefix: &str) -> Result<Option<Store>, SerializeError> {
        let Some(path) = option(options, &format!("{prefix}.location")) else { return Ok(None) };
        let error = |reason: String| SerializeError::RegistryTls { setting: format!("{setting}={path}"), reason };
        let content = key_store::read(std::path::Path::new(path)).map_err(|e| error(e.to_string()))?;
        let password = option(options, &format!("{prefix}.password")).unwrap_or_default().into();
        let key_password = option(options, "ssl.key.password").filter(|_| prefix == "ssl.keystore").map(str::to_owned);
        Ok(Some(Store { setting, content, password, key_password }))
    }

    fn error(&self, reason: impl ToString) -> SerializeError {
        SerializeError::RegistryTls { setting: self.setting.into(), reason: reason.to_string() }
    }

    fn certificates(&self) -> Result<Vec<X509>, SerializeError> {
        key_store::trusted(&self.content, &self.password).map_err(|error| self.error(error))
    }

    fn identity(&self) -> Result<Identity, SerializeError> {
        let found = key_store::identity(&self.content, &self.password, self.key_password.as_deref());
        found.map_err(|error| self.error(error))
    }
}
