//! An authority of the test's own, and its certificates in the stores that users have.

use std::path::{Path, PathBuf};
use std::process::Command;

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::hash::MessageDigest;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};

/// Password of every store.
pub const PASSWORD: &str = "st0re-secret";

/// A certificate and its key.
pub struct Certified {
    pub certificate: X509,
    pub key: PKey<Private>,
}

/// Who vouches, and where the files are.
pub struct Authority {
    own: Certified,
    folder: tempfile::TempDir,
}

fn certify(name: &str, issuer: Option<&Certified>) -> Certified {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let mut serial = BigNum::new().unwrap();
    serial.rand(64, MsbOption::MAYBE_ZERO, false).unwrap();
    builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(issuer.map_or(&subject, |issuer| issuer.certificate.subject_name())).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
    if issuer.is_none() {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    } else {
        let mut names = SubjectAlternativeName::new();
        let names = names.dns("localhost").ip("127.0.0.1").build(&builder.x509v3_context(None, None)).unwrap();
        builder.append_extension(names).unwrap();
    }
    builder.sign(issuer.map_or(&key, |issuer| &issuer.key), MessageDigest::sha256()).unwrap();
    Certified { certificate: builder.build(), key }
}

/// Java's own tool, beside the java that the stack runs.
fn keytool(arguments: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack/java.sh");
    let java = Command::new(script).args(["java", "17"]).output().unwrap();
    let java = PathBuf::from(String::from_utf8(java.stdout).unwrap().trim()).canonicalize().unwrap();
    let output = Command::new(java.with_file_name("keytool")).args(arguments).output().unwrap();
    assert!(output.status.success(), "keytool {arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
}

impl Authority {
    pub fn new() -> Self {
        let authority = Authority { own: certify("an authority", None), folder: crate::support::scratch("security-") };
        std::fs::write(authority.path("ca.pem"), authority.pem()).unwrap();
        authority
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// The authority's certificate.
    pub fn pem(&self) -> String {
        String::from_utf8(self.own.certificate.to_pem().unwrap()).unwrap()
    }

    pub fn certify(&self, name: &str) -> Certified {
        certify(name, Some(&self.own))
    }

    /// A PKCS12 file with a certificate and its key.
    pub fn identity(&self, name: &str) -> String {
        let certified = self.certify(name);
        let (path, mut builder) = (self.path(&format!("{name}.p12")), Pkcs12::builder());
        let store = builder.name(name).pkey(&certified.key).cert(&certified.certificate).build2(PASSWORD).unwrap();
        std::fs::write(&path, store.to_der().unwrap()).unwrap();
        path
    }

    /// A PKCS12 file as a JKS file.
    pub fn identity_as_jks(&self, pkcs12: &str) -> String {
        let path = format!("{pkcs12}.jks");
        let (from, to) = (["-srckeystore", pkcs12, "-srcstorepass", PASSWORD], ["-destkeystore", &path]);
        let kind = ["-deststoretype", "JKS", "-deststorepass", PASSWORD, "-destkeypass", PASSWORD, "-noprompt"];
        keytool(&[["-importkeystore"].as_slice(), &from, &to, &kind].concat());
        path
    }

    /// The authority's certificate in a truststore of this type.
    pub fn truststore(&self, kind: &str) -> String {
        let (path, file) = (self.path(&format!("trust.{kind}")), self.path("ca.pem"));
        let entry = ["-importcert", "-noprompt", "-alias", "ca", "-file", &file];
        keytool(&[entry.as_slice(), &["-keystore", &path, "-storetype", kind, "-storepass", PASSWORD]].concat());
        path
    }
}
