//! Which counting mode the emails of operations have proven. Emails are the strongest evidence: each has one status, so they show how
//! the stats count it.

use std::collections::BTreeSet;

use crate::operation::{CountingMode, Evidence, OperationId};

/// A proven mode changes only after this many operations in a row prove the other one.
const REFUTATIONS: usize = 3;
/// Few emails of one operation may be an error of Twilio's; those of this many operations are not.
const WITNESSES: usize = 2;

/// The counting mode that emails have proven, and the evidence for the other one.
#[derive(Debug, Default)]
pub(super) struct EmailProof {
    proven: Option<CountingMode>,
    /// The mode for which the last operation was evidence.
    claimed: Option<CountingMode>,
    /// The last operations that were evidence for it, if it is not proven.
    witnesses: BTreeSet<OperationId>,
}

impl EmailProof {
    pub(super) const fn mode(&self) -> Option<CountingMode> {
        self.proven
    }

    pub(super) fn restore(&mut self, mode: CountingMode) {
        self.proven.get_or_insert(mode);
    }

    /// Notes an operation whose emails are evidence for `mode`.
    pub(super) fn note(&mut self, id: OperationId, mode: CountingMode, evidence: Evidence) {
        if evidence == Evidence::None {
            return;
        }
        if self.claimed.replace(mode) != Some(mode) {
            self.witnesses.clear();
        }
        if self.proven == Some(mode) {
            return;
        }
        self.witnesses.insert(id);
        let needed = match (self.proven, evidence) {
            (Some(_), _) => REFUTATIONS,
            (None, Evidence::Large) => 1,
            (None, _) => WITNESSES,
        };
        if self.witnesses.len() >= needed {
            self.proven = Some(mode);
            self.witnesses.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CountingMode::{Cumulative, Exclusive};

    fn id(number: u32) -> OperationId {
        format!("comms_operation_01h2xcejqt{number:016}")
            .parse()
            .unwrap()
    }

    #[test]
    fn many_emails_of_one_operation_or_few_of_two_prove_a_mode() {
        let mut proof = EmailProof::default();
        proof.note(id(1), Cumulative, Evidence::None);
        proof.note(id(1), Cumulative, Evidence::Some);
        proof.note(id(1), Cumulative, Evidence::Some);
        assert_eq!(proof.mode(), None, "one operation");
        proof.note(id(2), Exclusive, Evidence::Some);
        proof.note(id(3), Cumulative, Evidence::Some);
        assert_eq!(proof.mode(), None, "they contradict each other");
        proof.note(id(4), Cumulative, Evidence::Some);
        assert_eq!(proof.mode(), Some(Cumulative));
        let mut proof = EmailProof::default();
        proof.note(id(1), Exclusive, Evidence::Large);
        assert_eq!(proof.mode(), Some(Exclusive));
    }

    #[test]
    fn a_proven_mode_changes_only_if_several_operations_in_a_row_refute_it() {
        let mut proof = EmailProof::default();
        proof.restore(Exclusive);
        for _ in 0..9 {
            proof.note(id(1), Cumulative, Evidence::Large);
            proof.note(id(2), Cumulative, Evidence::Large);
            proof.note(id(9), Exclusive, Evidence::Some);
        }
        assert_eq!(proof.mode(), Some(Exclusive));
        for number in 1..=3 {
            proof.note(id(number), Cumulative, Evidence::Some);
        }
        assert_eq!(proof.mode(), Some(Cumulative));
    }
}
