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
