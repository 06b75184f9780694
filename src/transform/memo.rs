//! What a transform has made and makes once: a schema out of a schema, a topic's name out of a value.
//!
//! An entry, once made, stays where it is for as long as the transform is borrowed, so that a record may refer to it;
//! between batches, when no record does, a memo that has grown beyond its bound is emptied.

use std::borrow::Borrow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use elsa::FrozenVec;

use crate::model::schema::Schema;

/// Entries that a memo keeps beyond a batch. A memo of topics grows with what the rows say.
const ENTRIES_MAXIMUM: usize = 4096;

/// Values made once for a key.
pub struct Memo<K, V> {
    places: RefCell<HashMap<K, usize>>,
    entries: FrozenVec<Box<V>>,
}

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Memo { places: RefCell::default(), entries: FrozenVec::new() }
    }
}

impl<K: Eq + Hash, V> Memo<K, V> {
    /// The value for a key, made where it is not there yet.
    ///
    /// # Errors
    /// What `make` fails with; nothing is kept then.
    pub fn get<'m, Q, E>(&'m self, key: &Q, make: impl FnOnce() -> Result<V, E>) -> Result<&'m V, E>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let place = self.places.borrow().get(key).copied();
        if let Some(value) = place.and_then(|place| self.entries.get(place)) {
            return Ok(value);
        }
        // Not under the borrow: what makes a value may ask this memo for another.
        let value = make()?;
        let (place, value) = (self.entries.len(), self.entries.push_get(Box::new(value)));
        self.places.borrow_mut().insert(key.to_owned(), place);
        Ok(value)
    }

    /// Between batches: empties a memo that has grown too large.
    pub fn rest(&mut self) {
        if self.entries.len() > ENTRIES_MAXIMUM {
            *self = Memo::default();
        }
    }
}

/// Values made once for something shared, found by its address. The entry keeps it alive, so nothing else can have
/// that address.
pub struct ArcMemo<T: ?Sized, V> {
    last: Cell<(usize, usize)>,
    places: RefCell<HashMap<usize, usize>>,
    entries: FrozenVec<Box<(Arc<T>, V)>>,
}

/// Values made once for a schema.
pub type SchemaMemo<V> = ArcMemo<Schema, V>;

/// Values made once for a topic.
pub type TopicMemo<V> = ArcMemo<str, V>;

impl<T: ?Sized, V> Default for ArcMemo<T, V> {
    fn default() -> Self {
        ArcMemo { last: Cell::new((0, 0)), places: RefCell::default(), entries: FrozenVec::new() }
    }
}

impl<T: ?Sized, V> ArcMemo<T, V> {
    /// The value for a schema or topic, made where it is not there yet. The one asked for last is found without a
    /// look-up.
    ///
    /// # Errors
    /// What `make` fails with; nothing is kept then.
    pub fn get<'m, E>(&'m self, shared: &Arc<T>, make: impl FnOnce() -> Result<V, E>) -> Result<&'m V, E> {
        let address = Arc::as_ptr(shared).cast::<u8>() as usize;
        let (last, place) = self.last.get();
        let place = if last == address { Some(place) } else { self.places.borrow().get(&address).copied() };
        if let Some((place, (_, value))) = place.and_then(|place| Some((place, self.entries.get(place)?))) {
            self.last.set((address, place));
            return Ok(value);
        }
        let value = make()?;
        let place = self.entries.len();
        let (_, value) = self.entries.push_get(Box::new((shared.clone(), value)));
        self.places.borrow_mut().insert(address, place);
        self.last.set((address, place));
        Ok(value)
    }

    /// Between batches: empties a memo that has grown too large.
    pub fn rest(&mut self) {
        if self.entries.len() > ENTRIES_MAXIMUM {
            *self = ArcMemo::default();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::convert::Infallible;

    use super::*;
    use crate::model::schema::Kind;

    #[test]
    fn a_value_is_made_once_and_stays_where_it_is() {
        let memo: Memo<String, Arc<str>> = Memo::default();
        let first = memo.get("a", || Ok::<_, Infallible>("one".into())).unwrap();
        for number in 0..1000 {
            memo.get(format!("k{number}").as_str(), || Ok::<_, Infallible>("more".into())).unwrap();
        }
        let again = memo.get("a", || Ok::<_, Infallible>("two".into())).unwrap();
        assert!(std::ptr::eq(first, again));
        assert!(memo.get("failed", || Err(1)).is_err());
        assert!(memo.get("failed", || Ok::<_, i32>("made".into())).is_ok());
    }

    #[test]
    fn a_schema_is_told_from_an_equal_one() {
        let memo: SchemaMemo<usize> = SchemaMemo::default();
        let (one, other) = (Arc::new(Schema::new(Kind::Int8)), Arc::new(Schema::new(Kind::Int8)));
        for _ in 0..3 {
            assert_eq!(memo.get(&one, || Ok::<_, Infallible>(1)), Ok(&1));
            assert_eq!(memo.get(&other, || Ok::<_, Infallible>(2)), Ok(&2));
        }
    }

    #[test]
    fn what_has_grown_too_large_is_given_back() {
        let mut memo: Memo<String, usize> = Memo::default();
        for number in 0..=ENTRIES_MAXIMUM {
            memo.get(number.to_string().as_str(), || Ok::<_, Infallible>(number)).unwrap();
        }
        memo.rest();
        assert_eq!(memo.entries.len(), 0);
    }
}
