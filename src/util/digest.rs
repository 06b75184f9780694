//! Message digests under the names that Java gives them.
//!
//! In: a name such as `SHA-256`, in any case. Out: a digest that was tried, so that what a configuration names
//! is there when the first row comes. Promised: every digest of a stock JDK's `MessageDigest`, with its value.

use md2::Digest as _;
use openssl::hash::{MessageDigest, hash};

/// The longest digest, in bytes.
const LONGEST: usize = 64;

/// What computes a digest.
#[derive(Clone, Copy)]
enum Algorithm {
    /// The library's; `None` where it was built without.
    OpenSsl(fn() -> Option<MessageDigest>),
    /// OpenSSL is built without it nowadays, and JDKs still have it.
    Md2,
}

use Algorithm::OpenSsl;

/// A digest.
#[derive(Clone, Copy)]
pub struct Digest {
    name: &'static str,
    algorithm: Algorithm,
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Digest {}

/// The bytes of a digest.
pub struct DigestBytes {
    bytes: [u8; LONGEST],
    length: usize,
}

impl DigestBytes {
    fn of(digest: &[u8]) -> Option<DigestBytes> {
        let mut bytes = [0; LONGEST];
        bytes.get_mut(..digest.len())?.copy_from_slice(digest);
        Some(DigestBytes { bytes, length: digest.len() })
    }
}

impl std::ops::Deref for DigestBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Java's standard names, each before the other spellings that JDKs take for it. Source: "Java Security Standard
/// Algorithm Names", and `sun.security.util.KnownOIDs` for the spellings.
const DIGESTS: &[(&str, &[&str], Algorithm)] = &[
    ("MD2", &[], Algorithm::Md2),
    ("MD5", &[], OpenSsl(|| Some(MessageDigest::md5()))),
    ("SHA-1", &["SHA", "SHA1"], OpenSsl(|| Some(MessageDigest::sha1()))),
    ("SHA-224", &["SHA224"], OpenSsl(|| Some(MessageDigest::sha224()))),
    ("SHA-256", &["SHA256"], OpenSsl(|| Some(MessageDigest::sha256()))),
    ("SHA-384", &["SHA384"], OpenSsl(|| Some(MessageDigest::sha384()))),
    ("SHA-512", &["SHA512"], OpenSsl(|| Some(MessageDigest::sha512()))),
    ("SHA-512/224", &["SHA512/224"], OpenSsl(|| MessageDigest::from_name("SHA512-224"))),
    ("SHA-512/256", &["SHA512/256"], OpenSsl(|| MessageDigest::from_name("SHA512-256"))),
    ("SHA3-224", &[], OpenSsl(|| Some(MessageDigest::sha3_224()))),
    ("SHA3-256", &[], OpenSsl(|| Some(MessageDigest::sha3_256()))),
    ("SHA3-384", &[], OpenSsl(|| Some(MessageDigest::sha3_384()))),
    ("SHA3-512", &[], OpenSsl(|| Some(MessageDigest::sha3_512()))),
];

impl Digest {
    /// The digest of a name; `None` for one that no JDK has, or that the library refuses to compute.
    pub fn named(name: &str) -> Option<Digest> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        let (name, _, algorithm) =
            DIGESTS.iter().find(|(known, spellings, _)| is(known) || spellings.iter().any(|known| is(known)))?;
        let digest = Digest { name, algorithm: *algorithm };
        // A FIPS provider refuses MD5: better known now than at the first row.
        digest.of(b"").map(|_| digest)
    }

    /// The standard names of all digests.
    pub fn names() -> impl Iterator<Item = &'static str> {
        DIGESTS.iter().map(|(name, _, _)| *name)
    }

    /// Java's standard name.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The digest of some bytes; `None` when the library refuses it.
    pub fn of(self, bytes: &[u8]) -> Option<DigestBytes> {
        match self.algorithm {
            OpenSsl(digest) => DigestBytes::of(&hash(digest()?, bytes).ok()?),
            Algorithm::Md2 => DigestBytes::of(&md2::Md2::digest(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Expected digits are those that `java.security.MessageDigest` (JDK 17 and 25) gives for `abcn`.
    #[test]
    fn digests_are_those_of_a_jdk() {
        let check = |names: &[&str], digits: &str| {
            for name in names {
                let digest = Digest::named(name).unwrap().of(b"abcn").unwrap();
                let found: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(found, digits, "{name}");
            }
        };
        check(&["MD2", "md2"], "271e2da8c66a06d6fa6d103b72b13227");
        check(&["MD5"], "8e8a199de744bfeb5dff2a8f2f02ec54");
        check(&["SHA-1", "SHA", "sha1"], "629efcaeb84a1558268e09d525bddaaad4d907b2");
        check(&["SHA-224", "SHA224"], "eb80b933f1a4daf22f7d30b61cc17a3f34bd6442d568a5e0ce511e95");
        check(&["SHA-256", "sha256"], "6730bb921195bac1701ed31fc35b147b709445497227e0297ae9858c4c25184d");
        check(
            &["SHA-384", "SHA384"],
            "7792dab2d35d4da889f6db97a09d8d2656f9d0a01723ece0cd598c0257f9d7c53d0f37fd8e796b1614a86ac7823d228f",
        );
        check(
            &["SHA-512", "SHA512"],
            "2a33bfd39786955e77a2147fbdd8f90d87785be871b06dac3e6ab2f25c3ff4ba4b4ad04020ce5fb1501ed0ce2ead546b2374f256623c1c4cc691939866da1dac",
        );
        check(&["SHA-512/224", "SHA512/224"], "6b958514ebef9da0a6ccf333fb2757b8d4b57e273a0398428800a5d7");
        check(&["SHA-512/256", "SHA512/256"], "532f38dd996b779b016b352d1c6a90ba5b755a324b382357335a354c5ea7ce60");
        check(&["SHA3-224"], "6c85467ff2374958acb4307deeb594b49a6b55f51d09c89544146390");
        check(&["SHA3-256"], "242f1532ce5ed1c6791b143d0c62ba1b309b9ab0a43e371a71d1647946b096ee");
        check(
            &["SHA3-384"],
            "55372da80d2fc2645c98d6efd37f9900c6141ee2051eb54960bac98a126ef3bfe336233796c6d6c05ecdfd3ded61f7db",
        );
        check(
            &["SHA3-512"],
            "17025ceb241fd09ebc93503e65485d4659f6d29f732906014efd696279317e3a13486c1bc3b0a3564c81afce4a45e5d5bb3fa5f1a9815069dd51f5f8fd2ceddc",
        );
        for name in ["", "MD-5", "SHA3224", "CRC32", "SHA-0"] {
            assert_eq!(Digest::named(name), None, "{name}");
        }
    }
}
