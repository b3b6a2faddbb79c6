//! The results of password checks, so that a scraper's password is hashed once and not at every scrape. Their number is bounded, and a
//! flood of wrong passwords never removes an accepted one.

use std::collections::{BTreeMap, HashSet, VecDeque};

use crate::web_config::Users;

/// The most rejected credentials: those of a few dozen clients with an old password. They take 64 KB.
const REJECTED: usize = 1024;
/// The most accepted passwords of one user. A user has one, but bcrypt ignores what follows the 72nd byte.
const ACCEPTED_PER_USER: usize = 2;

/// A keyed hash of a user name, the user's bcrypt hash and a password.
pub(super) type Key = [u8; 32];

#[derive(Debug, Default)]
pub(super) struct Verdicts {
    accepted: BTreeMap<Box<[u8]>, VecDeque<Key>>,
    rejected: HashSet<Key>,
    /// The oldest first.
    rejected_order: VecDeque<Key>,
}

impl Verdicts {
    /// Whether the credentials were accepted; `None` if they were not checked yet.
    pub(super) fn get(&self, name: &[u8], key: &Key) -> Option<bool> {
        let accepted = self.accepted.get(name);
        if accepted.is_some_and(|keys| keys.contains(key)) {
            Some(true)
        } else {
            self.rejected.contains(key).then_some(false)
        }
    }

    pub(super) fn accept(&mut self, name: &[u8], key: Key, users: &Users) {
        self.accepted.retain(|name, _| users.get(name).is_some());
        let keys = self.accepted.entry(name.into()).or_default();
        if keys.len() == ACCEPTED_PER_USER {
            keys.pop_front();
        }
        keys.push_back(key);
    }

    pub(super) fn reject(&mut self, key: Key) {
        if !self.rejected.insert(key) {
            return;
        }
        self.rejected_order.push_back(key);
        if self.rejected_order.len() > REJECTED
            && let Some(oldest) = self.rejected_order.pop_front()
        {
            self.rejected.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Key {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_le_bytes());
        key
    }

    #[test]
    fn a_flood_of_rejected_passwords_is_limited_and_keeps_the_accepted_ones() {
        let users = Users::default();
        let mut verdicts = Verdicts::default();
        verdicts.accept(b"a", key(0), &users);
        for number in 1..=2 * REJECTED {
            verdicts.reject(key(number));
            verdicts.reject(key(number));
        }
        assert_eq!(verdicts.get(b"a", &key(0)), Some(true));
        assert_eq!(verdicts.get(b"b", &key(0)), None, "of another user");
        assert_eq!(verdicts.get(b"a", &key(1)), None, "the oldest is removed");
        assert_eq!(verdicts.get(b"a", &key(2 * REJECTED)), Some(false));
        assert_eq!(verdicts.rejected.len(), REJECTED);
        assert_eq!(verdicts.rejected_order.len(), REJECTED);
    }

    #[test]
    fn accepted_passwords_are_limited_per_user_and_removed_with_the_user() {
        let users = Users::default();
        let mut verdicts = Verdicts::default();
        for number in 0..10 {
            verdicts.accept(b"a", key(number), &users);
        }
        // `users` has no user `a`, so only the last one stays.
        assert_eq!(verdicts.get(b"a", &key(8)), None);
        assert_eq!(verdicts.get(b"a", &key(9)), Some(true));
        verdicts.accept(b"b", key(1), &users);
        assert_eq!(verdicts.get(b"a", &key(9)), None);
    }
}
