//! TLS of the listeners.
//!
//! In: Kafka's `ssl.*` properties (`listeners.https.ssl.*`). Out: what accepts TLS connections with them, and what a worker
//! makes connections to others of its group with, as Connect's do. Promised: a property that cannot be obeyed is an error that names it.

use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode, SslVersion};
use ureq::tls::TlsConfig;

use super::AdminError;
use crate::config::secret::ClientProperties;
use crate::util::http;
use crate::util::key_store::settings::{self, SettingError};

fn refused(property: &str, reason: impl std::fmt::Display) -> AdminError {
    AdminError::Tls { property: format!("listeners.https.{property}"), reason: reason.to_string() }
}

fn unusable(error: SettingError) -> AdminError {
    refused(error.property, error)
}

/// What accepts TLS connections with these properties.
pub(super) fn acceptor(properties: &ClientProperties) -> Result<SslAcceptor, AdminError> {
    let text = |name: &str| text(properties, name);
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())
        .map_err(|error| refused("ssl.protocol", error))?;
    let missing = || refused("ssl.keystore.location", "a listener with https needs a certificate and its key");
    let identity = settings::identity(&text).map_err(unusable)?.ok_or_else(missing)?;
    let set = |error: openssl::error::ErrorStack| refused("ssl.keystore.location", error);
    builder.set_certificate(&identity.certificate).map_err(set)?;
    builder.set_private_key(&identity.key).map_err(set)?;
    for certificate in identity.chain {
        builder.add_extra_chain_cert(certificate).map_err(set)?;
    }
    builder.check_private_key().map_err(set)?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2)).map_err(|error| refused("ssl.protocol", error))?;
    let mode = match text("ssl.client.auth").unwrap_or("none").to_ascii_lowercase().as_str() {
        "none" => SslVerifyMode::NONE,
        "requested" => SslVerifyMode::PEER,
        "required" => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
        _ => return Err(refused("ssl.client.auth", "it is none, requested or required")),
    };
    builder.set_verify(mode);
    // Without one OpenSSL refuses to take up a session with a client that was asked for its certificate.
    builder.set_session_id_context(b"headwater").map_err(|error| refused("ssl.client.auth", error))?;
    if mode != SslVerifyMode::NONE {
        let missing = || refused("ssl.truststore.location", "it is needed to check certificates of clients");
        for certificate in settings::trusted(&text).map_err(unusable)?.ok_or_else(missing)? {
            let added = builder.cert_store_mut().add_cert(certificate);
            added.map_err(|error| refused("ssl.truststore.location", error))?;
        }
    }
    Ok(builder.build())
}

/// What another worker is asked with: it has the same properties, most often, so that whom this one trusts is who vouches for
/// it, and the certificate of this one is what it asks for.
pub(super) fn client(properties: &ClientProperties) -> Result<TlsConfig, AdminError> {
    let text = |name: &str| text(properties, name);
    let trusted = settings::trusted(&text).map_err(unusable)?;
    let identity = settings::identity(&text).map_err(unusable)?;
    http::tls(trusted.as_deref(), identity.as_ref()).map_err(|error| refused("ssl.keystore.location", error))
}

fn text<'p>(properties: &'p ClientProperties, name: &str) -> Option<&'p str> {
    properties.get(name).map(str::trim).filter(|text| !text.is_empty())
}
