//! `ssl.*`: truststores and keystores of Java clients, for librdkafka.
//!
//! In: `ssl.truststore.*`, `ssl.keystore.*`, and the files that they name. Out: `ssl.ca.*`, `ssl.certificate.*`,
//! `ssl.key.*`, `ssl.keystore.*`. Promised: a store that cannot be read is an error with the command that
//! converts it; a file's real format decides, not its declared one, as in Java since 9. No secret is printed.

use std::collections::BTreeMap;
use std::fs;

use openssl::pkcs12::Pkcs12;

use super::properties::{ClientProperties, PropertyError};

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

/// What a store's first bytes say.
enum Store {
    Pem,
    Pkcs12(Vec<u8>),
}

/// Bytes that open a Java keystore of the old format, and of the one before (`JCEKS`).
const JKS_MAGIC: [[u8; 4]; 2] = [[0xFE, 0xED, 0xFE, 0xED], [0xCE, 0xCE, 0xCE, 0xCE]];

/// No keystore is bigger; a longer file is something else.
const MAX_STORE_BYTES: u64 = 16 << 20;

fn open(property: &str, path: &str) -> Result<Store, PropertyError> {
    let length = fs::metadata(path).map_err(|error| PropertyError::new(property, format!("{path}: {error}")))?.len();
    if length > MAX_STORE_BYTES {
        return Err(PropertyError::new(property, format!("{path} has {length} bytes: that is no keystore")));
    }
    let bytes = fs::read(path).map_err(|error| PropertyError::new(property, format!("{path}: {error}")))?;
    if JKS_MAGIC.iter().any(|magic| bytes.starts_with(magic)) {
        let reason = format!(
            "{path} is a JKS keystore. Convert it: keytool -importkeystore -srckeystore {path} -destkeystore {path}.p12 -deststoretype PKCS12, \
             and name the new file"
        );
        return Err(PropertyError::new(property, reason));
    }
    // Every PKCS#12 file is an ASN.1 SEQUENCE.
    if bytes.first() == Some(&0x30) {
        return Ok(Store::Pkcs12(bytes));
    }
    if bytes.windows(10).any(|window| window == b"-----BEGIN") {
        return Ok(Store::Pem);
    }
    Err(PropertyError::new(property, format!("{path} is neither PEM nor PKCS12")))
}

fn truststore(java: &BTreeMap<String, String>, out: &mut ClientProperties) -> Result<(), PropertyError> {
    if let Some(pem) = given(java, "ssl.truststore.certificates") {
        out.set("ssl.ca.pem", pem.replace("\\n", "\n"));
        return Ok(());
    }
    let property = "ssl.truststore.location";
    let Some(path) = given(java, property) else {
        // Java would trust what the JRE ships; the nearest thing is what the operating system ships.
        out.set("ssl.ca.location", "probe");
        return Ok(());
    };
    match open(property, path)? {
        Store::Pem => out.set("ssl.ca.location", path),
        Store::Pkcs12(bytes) => {
            let password = given(java, "ssl.truststore.password").unwrap_or_default();
            out.set("ssl.ca.pem", trusted_certificates(property, path, &bytes, password)?);
        }
    }
    Ok(())
}

fn trusted_certificates(property: &str, path: &str, bytes: &[u8], password: &str) -> Result<String, PropertyError> {
    let wrong =
        || PropertyError::new(property, format!("{path} does not open as PKCS12: is ssl.truststore.password right?"));
    let parsed = Pkcs12::from_der(bytes).and_then(|store| store.parse2(password)).map_err(|_| wrong())?;
    let mut pem = Vec::new();
    for certificate in parsed.ca.iter().flatten() {
        pem.extend(certificate.to_pem().map_err(|_| wrong())?);
    }
    if let Some(certificate) = &parsed.cert {
        pem.extend(certificate.to_pem().map_err(|_| wrong())?);
    }
    if pem.is_empty() {
        return Err(PropertyError::new(property, format!("{path} holds no certificate")));
    }
    String::from_utf8(pem).map_err(|_| wrong())
}

fn keystore(java: &BTreeMap<String, String>, out: &mut ClientProperties) -> Result<(), PropertyError> {
    if let Some(password) = given(java, "ssl.key.password") {
        out.set("ssl.key.password", password);
    }
    if let (Some(chain), Some(key)) = (given(java, "ssl.keystore.certificate.chain"), given(java, "ssl.keystore.key")) {
        out.set("ssl.certificate.pem", chain.replace("\\n", "\n"));
        out.set("ssl.key.pem", key.replace("\\n", "\n"));
        return Ok(());
    }
    let property = "ssl.keystore.location";
    let Some(path) = given(java, property) else {
        return Ok(());
    };
    match open(property, path)? {
        // One file holds the certificates and the key, as KIP-651 has it.
        Store::Pem => {
            out.set("ssl.certificate.location", path);
            out.set("ssl.key.location", path);
        }
        Store::Pkcs12(_) => {
            out.set("ssl.keystore.location", path);
            out.set("ssl.keystore.password", given(java, "ssl.keystore.password").unwrap_or_default());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use openssl::asn1::Asn1Time;
    use openssl::hash::MessageDigest;
    use openssl::pkey::{PKey, Private};
    use openssl::rsa::Rsa;
    use openssl::x509::{X509, X509NameBuilder};

    use super::*;

    fn certificate() -> (PKey<Private>, X509) {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", "broker").unwrap();
        let name = name.build();
        let mut builder = X509::builder().unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        (key, builder.build())
    }

    fn translated(java: &[(&str, &str)]) -> Result<ClientProperties, PropertyError> {
        let java = java.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut out = ClientProperties::default();
        translate(&java, &mut out).map(|()| out)
    }

    #[test]
    fn stores_are_read_by_what_they_are() {
        let (key, certificate) = certificate();
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
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
        assert_eq!((&out.native["ssl.ca.location"], &out.native["ssl.keystore.location"]), (&pem, &store));
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
            (jks.as_str(), "s3cret", "keytool -importkeystore"),
            (&store, "wr0ng", "is ssl.truststore.password right?"),
            (&nothing, "s3cret", "neither PEM nor PKCS12"),
            ("/nowhere", "s3cret", "/nowhere"),
        ] {
            let error =
                translated(&[("ssl.truststore.location", path), ("ssl.truststore.password", password)]).unwrap_err();
            assert!(error.reason.contains(part) && !error.reason.contains(password), "{error}");
        }
    }
}
