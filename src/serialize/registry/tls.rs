//! TLS of the registry's client: Java's keystore settings, with PEM and PKCS12 files.

use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};

use crate::serialize::error::SerializeError;
use crate::util::class_options::Options;

/// A keystore larger than this is none.
const FILE_LIMIT_BYTES: u64 = 16 * 1024 * 1024;

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
    format: Format,
    password: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Pem,
    Pkcs12,
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
        let mut builder = TlsConfig::builder().provider(TlsProvider::NativeTls);
        builder = match &self.trust {
            None => builder.root_certs(RootCerts::PlatformVerifier),
            Some(store) => builder.root_certs(RootCerts::new_with_certs(&store.certificates()?)),
        };
        if let Some(store) = &self.identity {
            let (chain, key) = store.identity()?;
            builder = builder.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
        }
        Ok(builder.build())
    }
}

impl Store {
    fn inline(setting: &'static str, text: String) -> Store {
        // In properties files PEM text is often written with the characters `\n` for line ends.
        Store { setting, content: text.replace("\\n", "\n").into(), format: Format::Pem, password: String::new() }
    }

    fn file(options: &Options<'_>, setting: &'static str, prefix: &str) -> Result<Option<Store>, SerializeError> {
        let Some(path) = option(options, &format!("{prefix}.location")) else { return Ok(None) };
        let error = |reason: String| SerializeError::RegistryTls { setting: format!("{setting}={path}"), reason };
        let size = std::fs::metadata(path).map_err(|e| error(e.to_string()))?.len();
        if size > FILE_LIMIT_BYTES {
            return Err(error(format!("{size} bytes are too many for a keystore")));
        }
        let content = std::fs::read(path).map_err(|e| error(e.to_string()))?;
        let jks = || {
            error(format!(
                "this is a JKS file; convert it: keytool -importkeystore -srckeystore {path} -destkeystore {path}.p12 -deststoretype PKCS12"
            ))
        };
        // JKS begins with FEEDFEED, JCEKS with CECECECE. The content decides: Java, too, reads PKCS12 where JKS is said.
        if content.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) || content.starts_with(&[0xce; 4]) {
            return Err(jks());
        }
        let pem = content.windows(11).any(|window| window == b"-----BEGIN ");
        let key_password = option(options, "ssl.key.password").filter(|_| pem && prefix == "ssl.keystore");
        let password =
            key_password.or_else(|| option(options, &format!("{prefix}.password"))).unwrap_or_default().into();
        let format = if pem { Format::Pem } else { Format::Pkcs12 };
        Ok(Some(Store { setting, content, format, password }))
    }

    fn error(&self, reason: impl ToString) -> SerializeError {
        SerializeError::RegistryTls { setting: self.setting.into(), reason: reason.to_string() }
    }

    fn pkcs12(&self) -> Result<openssl::pkcs12::ParsedPkcs12_2, SerializeError> {
        let parsed = openssl::pkcs12::Pkcs12::from_der(&self.content)
            .map_err(|_| self.error("neither PEM nor PKCS12"))?
            .parse2(&self.password);
        parsed.map_err(|_| self.error("a PKCS12 file that its password does not open"))
    }

    fn certificates(&self) -> Result<Vec<Certificate<'static>>, SerializeError> {
        let found: Vec<Certificate<'static>> = match self.format {
            Format::Pem => {
                // Checked here, because the HTTP client passes over certificates that it cannot read.
                let chain = openssl::x509::X509::stack_from_pem(&self.content);
                let chain = chain.map_err(|_| self.error("it is not valid PEM"))?;
                chain.iter().map(|cert| der(cert)).collect::<Result<_, _>>().map_err(|e| self.error(e))?
            }
            Format::Pkcs12 => {
                let parsed = self.pkcs12()?;
                let chain = parsed.ca.into_iter().flatten().chain(parsed.cert);
                chain.map(|cert| der(&cert)).collect::<Result<_, _>>().map_err(|e| self.error(e))?
            }
        };
        if found.is_empty() {
            return Err(self.error("there is no certificate in it"));
        }
        Ok(found)
    }

    fn identity(&self) -> Result<(Vec<Certificate<'static>>, PrivateKey<'static>), SerializeError> {
        match self.format {
            Format::Pem => {
                let chain = self.certificates()?;
                let key = openssl::pkey::PKey::private_key_from_pem_passphrase(&self.content, self.password.as_bytes());
                let key = key.map_err(|_| self.error("there is no private key in it that its password opens"))?;
                Ok((chain, self.pkcs8(&key)?))
            }
            Format::Pkcs12 => {
                let parsed = self.pkcs12()?;
                let (Some(cert), Some(key)) = (parsed.cert, parsed.pkey) else {
                    return Err(self.error("there is no certificate with its private key in it"));
                };
                let chain = std::iter::once(cert).chain(parsed.ca.into_iter().flatten());
                let chain = chain.map(|cert| der(&cert)).collect::<Result<_, _>>().map_err(|e| self.error(e))?;
                Ok((chain, self.pkcs8(&key)?))
            }
        }
    }

    fn pkcs8(&self, key: &openssl::pkey::PKey<openssl::pkey::Private>) -> Result<PrivateKey<'static>, SerializeError> {
        let pem = key.private_key_to_pem_pkcs8().map_err(|e| self.error(e))?;
        PrivateKey::from_pem(&pem).map_err(|e| self.error(e))
    }
}

fn der(certificate: &openssl::x509::X509Ref) -> Result<Certificate<'static>, openssl::error::ErrorStack> {
    Ok(Certificate::from_der(&certificate.to_der()?).to_owned())
}
