//! The digests of `column.mask.hash`, under the names that Java gives them.

use openssl::hash::{DigestBytes, MessageDigest, hash};

/// Asks the library for a digest; `None` where it was built without.
type Make = fn() -> Option<MessageDigest>;

/// A digest.
#[derive(Clone, Copy)]
pub struct Digest {
    name: &'static str,
    digest: Make,
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

/// Java's standard names, and the short ones that it takes as well. MD2 is in no library that is still looked
/// after.
const DIGESTS: &[(&str, Make)] = &[
    ("MD5", || Some(MessageDigest::md5())),
    ("SHA", || Some(MessageDigest::sha1())),
    ("SHA1", || Some(MessageDigest::sha1())),
    ("SHA-1", || Some(MessageDigest::sha1())),
    ("SHA-224", || Some(MessageDigest::sha224())),
    ("SHA-256", || Some(MessageDigest::sha256())),
    ("SHA-384", || Some(MessageDigest::sha384())),
    ("SHA-512", || Some(MessageDigest::sha512())),
    ("SHA-512/224", || MessageDigest::from_name("SHA512-224")),
    ("SHA-512/256", || MessageDigest::from_name("SHA512-256")),
    ("SHA3-224", || Some(MessageDigest::sha3_224())),
    ("SHA3-256", || Some(MessageDigest::sha3_256())),
    ("SHA3-384", || Some(MessageDigest::sha3_384())),
    ("SHA3-512", || Some(MessageDigest::sha3_512())),
];

impl Digest {
    /// The digest of a name, in any case; `None` for one that we do not have.
    pub fn named(name: &str) -> Option<Digest> {
        let found = DIGESTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(name, digest)| Digest { name, digest: *digest })
    }

    /// The digest of some bytes; `None` when the library refuses it (a FIPS provider without MD5).
    pub(super) fn of(self, bytes: &[u8]) -> Option<DigestBytes> {
        hash((self.digest)()?, bytes).ok()
    }
}
