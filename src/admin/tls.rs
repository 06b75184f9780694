//! TLS of the listeners.
//!
//! In: Kafka's `ssl.*` properties (`listeners.https.ssl.*`). Out: what accepts TLS connections with them. Promised: a
//! property that cannot be obeyed is an error that names it.

use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode, SslVersion};

use super::AdminError;
use crate::config::secret::ClientProperties;
use crate::util::key_store;

fn refused(property: &str, reason: impl std::fmt::Display) -> AdminError {
    AdminError::Tls { property: format!("listeners.https.{property}"), reason: reason.to_string() }
}

/// What accepts TLS connections with these properties.
pub(super) fn acceptor(properties: &ClientProperties) -> Result<SslAcceptor, AdminError> {
    let text = |name: &str| properties.get(name).map(str::trim).filter(|text| !text.is_empty());
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())
        .map_err(|error| refused("ssl.protocol", error))?;
    let identity = identity(&text)?;
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
        let path = text("ssl.truststore.location")
            .ok_or_else(|| refused("ssl.truststore.location", "it is needed to check certificates of clients"))?;
        let failed = |error| refused("ssl.truststore.location", error);
        let bytes = key_store::read(path.as_ref()).map_err(failed)?;
        for certificate in
            key_store::trusted(&bytes, text("ssl.truststore.password").unwrap_or_default()).map_err(failed)?
        {
            builder
                .cert_store_mut()
                .add_cert(certificate)
                .map_err(|error| refused("ssl.truststore.location", error))?;
        }
    }
    Ok(builder.build())
}

/// The server's certificate and key: from a file of any of Java's formats, or written out (KIP-651).
fn identity<'p>(text: &dyn Fn(&str) -> Option<&'p str>) -> Result<key_store::Identity, AdminError> {
    let key_password = text("ssl.key.password");
    if let (Some(key), Some(chain)) = (text("ssl.keystore.key"), text("ssl.keystore.certificate.chain")) {
        let pem = format!("{chain}\n{key}\n");
        return key_store::identity(pem.as_bytes(), "", key_password)
            .map_err(|error| refused("ssl.keystore.key", error));
    }
    let path = text("ssl.keystore.location")
        .ok_or_else(|| refused("ssl.keystore.location", "a listener with https needs a certificate and its key"))?;
    let failed = |error| refused("ssl.keystore.location", error);
    let bytes = key_store::read(path.as_ref()).map_err(failed)?;
    key_store::identity(&bytes, text("ssl.keystore.password").unwrap_or_default(), key_password).map_err(failed)
}
