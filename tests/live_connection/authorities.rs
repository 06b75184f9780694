//! Certificates made for a test: an authority, a server and a client under it, and an authority nobody knows.

use std::path::{Path, PathBuf};

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::hash::MessageDigest;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Name};

/// Password of every store.
pub const PASSWORD: &str = "store password";

/// Files of certificates and keys.
pub struct Authorities {
    folder: PathBuf,
}

struct Pair {
    certificate: X509,
    key: PKey<Private>,
}

fn make(name: &str, issuer: Option<&Pair>) -> Pair {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut subject = X509Name::builder().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut serial = BigNum::new().unwrap();
    serial.rand(127, MsbOption::MAYBE_ZERO, false).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(issuer.map_or(&subject, |pair| pair.certificate.subject_name())).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
    builder.set_pubkey(&key).unwrap();
    if issuer.is_none() {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    } else {
        let names = SubjectAlternativeName::new().ip("127.0.0.1").build(&builder.x509v3_context(None, None)).unwrap();
        builder.append_extension(names).unwrap();
    }
    builder.sign(issuer.map_or(&key, |pair| &pair.key), MessageDigest::sha256()).unwrap();
    Pair { certificate: builder.build(), key }
}

/// A Java keystore (version 2) of one trusted certificate. The digest at its end is not asserted by its reader.
fn java_store(certificate: &X509) -> Vec<u8> {
    let der = certificate.to_der().unwrap();
    let mut out = vec![0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 2, b'c', b'a'];
    out.extend([0; 8]);
    out.extend(b"\0\x05X.509");
    out.extend((der.len() as u32).to_be_bytes());
    out.extend(der);
    out.extend([0; 20]);
    out
}

impl Authorities {
    /// Makes everything in a new folder.
    pub fn create(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
        let authority = make("Authority", None);
        let server = make("server", Some(&authority));
        let client = make("client", Some(&authority));
        let stranger = make("Stranger", None);
        write("ca.pem", &authority.certificate.to_pem().unwrap());
        write("stranger.pem", &stranger.certificate.to_pem().unwrap());
        write("server.pem", &server.certificate.to_pem().unwrap());
        write("server-key.pem", &server.key.private_key_to_pem_pkcs8().unwrap());
        let mut both = client.certificate.to_pem().unwrap();
        both.extend(client.key.private_key_to_pem_pkcs8().unwrap());
        write("client.pem", &both);
        let mut sealed = client.certificate.to_pem().unwrap();
        let cipher = Cipher::aes_256_cbc();
        sealed.extend(client.key.private_key_to_pem_pkcs8_passphrase(cipher, PASSWORD.as_bytes()).unwrap());
        write("client-sealed.pem", &sealed);
        let mut chain = Stack::new().unwrap();
        chain.push(authority.certificate.clone()).unwrap();
        let store =
            Pkcs12::builder().name("client").pkey(&client.key).cert(&client.certificate).ca(chain).build2(PASSWORD);
        write("client.p12", &store.unwrap().to_der().unwrap());
        let store = Pkcs12::builder().name("ca").cert(&authority.certificate).build2(PASSWORD);
        write("ca.p12", &store.unwrap().to_der().unwrap());
        write("ca.jks", &java_store(&authority.certificate));
        write("truncated.jks", &java_store(&authority.certificate)[..200]);
        write("nonsense", b"\x30\x03nonsense");
        Self { folder: folder.to_owned() }
    }

    /// A file by its name.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Options of the server.
    pub fn server_options(&self) -> String {
        let file = |name| self.file(name).display().to_string();
        format!("--ssl-ca={} --ssl-cert={} --ssl-key={}", file("ca.pem"), file("server.pem"), file("server-key.pem"))
    }
}
