//! The claims of records in flight, named by small numbers that librdkafka carries along.
//!
//! In: a [`Share`] when a record leaves. Out: the same share when its report comes. Promised: a number is used
//! once at a time; what is still here when the table is dropped stays unsettled. No allocation once the table
//! has grown to the most records that were ever in flight at once.

use crate::model::ticket::Share;

/// A table of shares with a list of its free places.
#[derive(Default)]
pub(super) struct Claims {
    places: Vec<Option<Share>>,
    free: Vec<usize>,
}

impl Claims {
    /// Keeps a share; the number is never 0.
    pub(super) fn insert(&mut self, share: Share) -> usize {
        if let Some(place) = self.free.pop()
            && let Some(slot) = self.places.get_mut(place)
        {
            *slot = Some(share);
            return place + 1;
        }
        self.places.push(Some(share));
        self.places.len()
    }

    /// Gives a share back; `None` for a number that is not in use.
    pub(super) fn take(&mut self, number: usize) -> Option<Share> {
        let place = number.checked_sub(1)?;
        let share = self.places.get_mut(place)?.take()?;
        self.free.push(place);
        Some(share)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::sync::Arc;

    use super::*;
    use crate::model::ticket::{Settlements, Ticket};

    struct Ignored;

    impl Settlements for Ignored {
        fn settled(&self, _: u64) {}
        fn abandoned(&self, _: u64) {}
    }

    #[test]
    fn a_number_comes_back_once_and_is_used_again() {
        let ticket = Ticket::new(1, Arc::new(Ignored));
        let mut claims = Claims::default();
        let numbers: Vec<usize> = (0..3).map(|_| claims.insert(ticket.share())).collect();
        assert_eq!((numbers.as_slice(), claims.len()), ([1, 2, 3].as_slice(), 3));
        assert!(claims.take(2).is_some());
        assert!(claims.take(2).is_none() && claims.take(0).is_none() && claims.take(9).is_none());
        assert_eq!(claims.insert(ticket.share()), 2);
        assert_eq!(claims.len(), 3);
        ticket.settle();
    }
}
