//! What binds a login to the TLS channel under it: `tls-server-end-point` (RFC 5929), the hash of the server's
//! certificate.

use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::x509::X509Ref;

/// The binding of a channel whose server showed this certificate. The hash is that of the certificate's signature, and
/// SHA-256 instead of MD5 and SHA-1. `None` for a signature without a hash of its own (Ed25519), for which the RFC
/// defines no binding.
pub fn server_end_point(certificate: &X509Ref) -> Option<Vec<u8>> {
    let signature = certificate.signature_algorithm().object().nid();
    let digest = match signature.signature_algorithms()?.digest {
        Nid::MD5 | Nid::SHA1 => MessageDigest::sha256(),
        other => MessageDigest::from_nid(other)?,
    };
    certificate.digest(digest).ok().map(|hash| hash.to_vec())
}
