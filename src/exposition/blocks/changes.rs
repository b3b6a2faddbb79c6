//! Compares the operations of a snapshot with those of the snapshot before: where each was, and in which families it has other samples.
//! So each operation is read once for all families, and not once for each.
//!
//! A place is an index into the operations of all accounts of a snapshot. Nothing is recorded between snapshots, so the result is
//! right for any two of them.

use std::collections::HashMap;

use crate::exposition::families::FamilySet;
use crate::operation::OperationId;
use crate::snapshot::{AccountSnapshot, ShownOperation, Snapshot};

/// An operation in the snapshot before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// It was not there, or was in another account.
    Absent,
    /// It was at this place, with other samples in these families.
    At(usize, FamilySet),
}

/// The operations of a snapshot compared with those of the snapshot before.
#[derive(Debug)]
pub(super) struct Changes {
    operations: Vec<Before>,
    has_same_places: bool,
    is_equal: bool,
}

impl Before {
    /// The place where it was.
    pub(super) const fn place(self) -> Option<usize> {
        match self {
            Self::Absent => None,
            Self::At(place, _) => Some(place),
        }
    }
}

impl Changes {
    pub(super) fn between(old: &Snapshot, new: &Snapshot) -> Self {
        let mut operations = Vec::with_capacity(size(&new.accounts));
        for account in &new.accounts {
            let same = |old: &AccountSnapshot| old.name == account.name;
            match old.accounts.iter().position(same) {
                Some(at) => {
                    let first = size(&old.accounts[..at]);
                    find(
                        &old.accounts[at].operations,
                        first,
                        &account.operations,
                        &mut operations,
                    );
                }
                None => {
                    operations.extend(account.operations.iter().map(|_| Before::Absent));
                }
            }
        }
        let places = operations.iter().map(|before| before.place());
        let has_same_places =
            operations.len() == size(&old.accounts) && places.eq((0..operations.len()).map(Some));
        let is_equal = |before: &Before| matches!(before, Before::At(_, FamilySet::NONE));
        Self {
            is_equal: has_same_places && operations.iter().all(is_equal),
            has_same_places,
            operations,
        }
    }

    /// For each place, its operation in the snapshot before.
    pub(super) fn operations(&self) -> &[Before] {
        &self.operations
    }

    /// Whether the same operations of the same accounts are at the same places.
    pub(super) const fn has_same_places(&self) -> bool {
        self.has_same_places
    }

    /// Whether places and samples are the same.
    pub(super) const fn is_equal(&self) -> bool {
        self.is_equal
    }
}

/// The number of operations of `accounts`.
fn size(accounts: &[AccountSnapshot]) -> usize {
    accounts
        .iter()
        .map(|account| account.operations.len())
        .sum()
}

/// Finds the operations of one account. Most of them follow each other as before; the others are found by their ids.
fn find(old: &[ShownOperation], first: usize, new: &[ShownOperation], found: &mut Vec<Before>) {
    let mut by_id: Option<HashMap<OperationId, usize>> = None;
    let mut next = 0;
    for operation in new {
        let is_next = old.get(next).is_some_and(|old| old.id == operation.id);
        let at = if is_next {
            Some(next)
        } else {
            let by_id = by_id.get_or_insert_with(|| {
                let old = old.iter().enumerate();
                old.map(|(at, operation)| (operation.id, at)).collect()
            });
            by_id.get(&operation.id).copied()
        };
        found.push(match at {
            None => Before::Absent,
            Some(at) if old[at] == *operation => Before::At(first + at, FamilySet::NONE),
            Some(at) => Before::At(first + at, FamilySet::different(&old[at], operation)),
        });
        next = at.map_or(next, |at| at + 1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::exposition::empty_account;
    use crate::snapshot::Labels;

    /// Operations by a number for their id; those with `true` have failed.
    fn account(name: &str, operations: &[(u32, bool)]) -> AccountSnapshot {
        let operation = |(number, failed): &(u32, bool)| ShownOperation {
            id: format!("comms_operation_01h2xcejqtf2nbrexx3v{number:06}")
                .parse()
                .unwrap(),
            seen: None,
            up: Some(!failed),
            last_success: None,
            scheduled_for: None,
            emails_mismatch: None,
            labels: Labels::default(),
        };
        AccountSnapshot {
            operations: operations.iter().map(operation).collect(),
            ..empty_account(&Arc::from(name))
        }
    }

    fn snapshot(accounts: &[AccountSnapshot]) -> Snapshot {
        Snapshot {
            accounts: accounts.to_vec(),
        }
    }

    #[test]
    fn operations_are_found_wherever_they_were_in_their_account() {
        use Before::{Absent, At};
        let equal = |place| At(place, FamilySet::NONE);
        // They differ in `up`.
        let [one, other] = [false, true].map(|failed| account("a", &[(1, failed)]));
        let up = FamilySet::different(&one.operations[0], &other.operations[0]);
        assert_ne!(up, FamilySet::NONE);
        let different = |place| At(place, up);
        let old = snapshot(&[
            account("a", &[(5, false), (4, false)]),
            account("b", &[(4, false), (3, false), (2, false)]),
        ]);
        for (new, expected) in [
            (
                old.clone(),
                &[equal(0), equal(1), equal(2), equal(3), equal(4)][..],
            ),
            (
                snapshot(&[
                    account("b", &[(4, false), (2, true)]),
                    account("a", &[(6, false), (5, false), (3, false)]),
                ]),
                &[equal(2), different(4), Absent, equal(0), Absent],
            ),
            (snapshot(&[account("c", &[(5, false)])]), &[Absent]),
            (
                snapshot(&[account("a", &[(4, false), (5, true)])]),
                &[equal(1), different(0)],
            ),
            (Snapshot::default(), &[]),
        ] {
            let changes = Changes::between(&old, &new);
            assert_eq!(changes.operations(), expected);
            assert_eq!(changes.is_equal(), new == old);
        }
    }

    #[test]
    fn places_are_the_same_only_if_every_operation_of_either_snapshot_is_at_its_place() {
        let old = snapshot(&[account("a", &[(5, false)]), account("b", &[(4, false)])]);
        for (new, expected) in [
            (
                snapshot(&[account("a", &[(5, true)]), account("b", &[(4, true)])]),
                true,
            ),
            (snapshot(&[account("a", &[(5, false)])]), false),
            (snapshot(&[account("a", &[(5, false), (4, false)])]), false),
            (
                snapshot(&[account("b", &[(4, false)]), account("a", &[(5, false)])]),
                false,
            ),
        ] {
            let changes = Changes::between(&old, &new);
            assert_eq!(changes.has_same_places(), expected, "{new:?}");
            assert!(!changes.is_equal());
        }
    }
}
