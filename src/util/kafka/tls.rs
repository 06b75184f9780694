//! `ssl.*`: truststores and keystores of Java clients, for librdkafka.
//!
//! In: `ssl.truststore.*`, `ssl.keystore.*`, and the files that they name. Out: `ssl.ca.*`, `ssl.certificate.*`,
//! `ssl.key.*`, as PEM text. Promised: a store that cannot be read is an error with its place; PEM, PKCS12 and JKS are told by
//! the bytes, not by `ssl.truststore.type`. No secret is printed.

use std::collections::BTreeMap;

use openssl::error::ErrorStack;
use openssl::x509::X509;

use super::properties::{ClientProperties, PropertyError};
use crate::util::key_store::settings::{self, SettingError};

/// Properties without counterpart that change nothing about who is trusted.
const UNNEEDED: &[&str] = &[
    "ssl.enabled.protocols",
    "ssl.engine.factory.class",
    "ssl.keymanager.algorithm",
    "ssl.protocol",
    "ssl.provider",
    "ssl.secure.random.implementation",
    "ssl.trustmanager.algorithm",
    "ssl.client.auth",
];

/// Whether a property belongs to this file.
pub fn knows(name: &str) -> bool {
    name.starts_with("ssl.")
}

/// Reads trust, client certificate and host name checking.
pub fn translate(java: &BTreeMap<String, String>, out: &mut ClientProperties) -> Result<(), PropertyError> {
    for name in java.keys().filter(|name| UNNEEDED.contains(&name.as_str())) {
        out.notes.push(super::properties::Note {
            property: name.clone(),
            text: "has no effect: OpenSSL chooses".to_owned(),
        });
    }
    truststore(java, out)?;
    keystore(java, out)?;
    if let Some(suites) = given(java, "ssl.cipher.suites") {
        out.set("ssl.cipher.suites", suites.replace(',', ":"));
    }
    if let Some(algorithm) = java.get("ssl.endpoint.identification.algorithm") {
        match algorithm.trim().to_ascii_lowercase().as_str() {
            "" => out.set("ssl.endpoint.identification.algorithm", "none"),
            "https" => out.set("ssl.endpoint.identification.algorithm", "https"),
            other => {
                let reason = format!("`{other}` is neither `https` nor empty");
                return Err(PropertyError::new("ssl.endpoint.identification.algorithm", reason));
            }
        }
    }
    Ok(())
}

fn given<'a>(java: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    java.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

fn refused(error: SettingError) -> PropertyError {
    PropertyError::new(error.property, error.to_string())
}

fn pem(certificates: &[X509]) -> Result<String, ErrorStack> {
    let mut pem = Vec::new();
    for certificate in certificates {
        pem.extend(certificate.to_pem()?);
    }
    Ok(String::from_utf8_lossy(&pem).into_owned())
}

fn truststore(java: &BTreeMap<String, String>, out: &mut ClientProperties) -> Result<(), PropertyError> {
    match settings::trusted(&|name| given(java, name)).map_err(refused)? {
        // Java would trust what the JRE ships; the nearest thing is what the operating system ships.
        None => out.set("ssl.ca.location", "probe"),
        Some(trusted) => {
            let broken = |error: ErrorStack| PropertyError::new("ssl.truststore.location", error.to_string());
            out.set("ssl.ca.pem", pem(&trusted).map_err(broken)?);
        }
    }
    Ok(())
}

fn keystore(java: &BTreeMap<String, String>, out: &mut ClientProperties) -> Result<(), PropertyError> {
    let Some(identity) = settings::identity(&|name| given(java, name)).map_err(refused)? else { return Ok(()) };
    let broken = |error: ErrorStack| PropertyError::new("ssl.keystore.location", error.to_string());
    let chain: Vec<X509> = std::iter::once(identity.certificate).chain(identity.chain).collect();
    out.set("ssl.certificate.pem", pem(&chain).map_err(broken)?);
    // Opened here: what is set is the plain key, which needs no password.
    let key = identity.key.private_key_to_pem_pkcs8().map_err(broken)?;
    out.set("ssl.key.pem", String::from_utf8_lossy(&key));
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use openssl::pkcs12::Pkcs12;

    use super::*;
    use crate::util::key_store::fixture::self_signed;

    fn translated(java: &[(&str, &str)]) -> Result<ClientProperties, PropertyError> {
        let java = java.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut out = ClientProperties::default();
        translate(&java, &mut out).map(|()| out)
    }

    #[test]
    fn stores_are_read_by_what_they_are() {
        let (key, certificate) = self_signed("broker");
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let store =
            Pkcs12::builder().name("a").pkey(&key).cert(&certificate).build2("s3cret").unwrap().to_der().unwrap();
        let (store, pem) = (file("store.jks", &store), file("ca.pem", &certificate.to_pem().unwrap()));
        let jks = file("old.jks", &[0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 2]);
        let nothing = file("nothing", b"hello");

        let out = translated(&[("ssl.truststore.location", &store), ("ssl.truststore.password", "s3cret")]).unwrap();
        assert!(out.native["ssl.ca.pem"].contains("BEGIN CERTIFICATE"));
        let out = translated(&[
            ("ssl.truststore.location", &pem),
            ("ssl.keystore.location", &store),
            ("ssl.keystore.password", "s3cret"),
        ])
        .unwrap();
        assert!(out.native["ssl.ca.pem"].contains("BEGIN CERTIFICATE"));
        assert!(out.native["ssl.certificate.pem"].contains("BEGIN CERTIFICATE"));
        assert!(out.native["ssl.key.pem"].contains("BEGIN PRIVATE KEY"));
        // Made by keytool (OpenJDK 17): a certificate that is trusted, without a key.
        let java = file("trust.p12", include_bytes!("../../../tests/golden/keystores/java-truststore.p12"));
        let out = translated(&[("ssl.truststore.location", &java), ("ssl.truststore.password", "changeit")]).unwrap();
        assert_eq!(out.native["ssl.ca.pem"].matches("BEGIN CERTIFICATE").count(), 1);
        let out = translated(&[("ssl.endpoint.identification.algorithm", "")]).unwrap();
        assert_eq!(
            (out.native["ssl.endpoint.identification.algorithm"].as_str(), out.native["ssl.ca.location"].as_str()),
            ("none", "probe")
        );

        for (path, password, part) in [
            (jks.as_str(), "s3cret", "ends too soon"),
            (&store, "wr0ng", "most often for a wrong password"),
            (&nothing, "s3cret", "neither PEM nor PKCS12 nor JKS"),
            ("/nowhere", "s3cret", "/nowhere"),
        ] {
            let error =
                translated(&[("ssl.truststore.location", path), ("ssl.truststore.password", password)]).unwrap_err();
            assert!(error.reason.contains(part) && !error.reason.contains(password), "{error}");
        }
    }
}
