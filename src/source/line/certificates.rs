//! The stores of certificates and keys that `database.ssl.*` name.
//!
//! In: a file and its password. Out: certificates, and the client's key. Promised: an error says which file.

use openssl::x509::X509;

use super::{LineError, Store};
use crate::util::key_store::{self, Identity, KeyStoreError};

fn refused(store: &Store) -> impl Fn(KeyStoreError) -> LineError {
    let path = store.path.clone();
    move |error| match error {
        KeyStoreError::Unusable(reason) => LineError::Store { path: path.clone(), reason },
        KeyStoreError::JavaOnly => LineError::JavaKeystore { path: path.clone() },
    }
}

fn password(store: &Store) -> &str {
    store.password.as_ref().map(super::Secret::expose).unwrap_or_default()
}

/// Certificates that may vouch for a server.
pub fn trusted(store: &Store) -> Result<Vec<X509>, LineError> {
    let bytes = key_store::read(&store.path).map_err(refused(store))?;
    key_store::trusted(&bytes, password(store)).map_err(refused(store))
}

/// The client's certificate and key.
pub fn identity(store: &Store) -> Result<Identity, LineError> {
    let bytes = key_store::read(&store.path).map_err(refused(store))?;
    key_store::identity(&bytes, password(store), None).map_err(refused(store))
}

#[cfg(test)]
mod tests;
