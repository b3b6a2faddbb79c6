//! Where the text of a family is cut into blocks.
//!
//! Hashes of the operations' ids decide where a block ends, not a fixed number of operations. So a new operation, which comes first,
//! changes one or two blocks and does not shift all others by one.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::ops::Range;

use crate::snapshot::{ShownOperation, Snapshot};

/// The operations of a snapshot, as far as cuts depend on them.
#[derive(Debug)]
pub(super) struct Cuts {
    /// One hash per operation.
    hashes: Vec<u64>,
    /// Where the operations of each account end.
    ends: Vec<usize>,
}

impl Cuts {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let hash = |operation: &ShownOperation| hasher.hash_one(operation.id);
        let mut cuts = Self {
            hashes: Vec::new(),
            ends: Vec::new(),
        };
        for account in &snapshot.accounts {
            cuts.hashes.extend(account.operations.iter().map(hash));
            cuts.ends.push(cuts.hashes.len());
        }
        cuts
    }

    /// The places of the operations of each block, with about `usual` operations in each. No block has operations of two accounts.
    pub(super) fn blocks(&self, usual: usize) -> Vec<Range<usize>> {
        let mut blocks = Vec::with_capacity(self.hashes.len() / usual + self.ends.len());
        let mut start = 0;
        for &end in &self.ends {
            while start < end {
                let cut = self.first_cut(start..end, usual);
                blocks.push(start..cut);
                start = cut;
            }
        }
        blocks
    }

    /// A block ends at the operation with the least hash between two thirds and four thirds of the usual size: two texts that begin
    /// differently soon have a cut at the same operation.
    fn first_cut(&self, rest: Range<usize>, usual: usize) -> usize {
        let (least, most) = (usual.div_ceil(3) * 2, usual.div_ceil(3) * 4);
        if rest.len() <= most {
            return rest.end;
        }
        let candidates = rest.start + least..rest.start + most;
        let last = candidates.min_by_key(|&at| self.hashes[at]);
        last.map_or(rest.end, |last| last + 1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn cuts(accounts: &[Vec<u64>]) -> Cuts {
        let mut cuts = Cuts {
            hashes: Vec::new(),
            ends: Vec::new(),
        };
        for hashes in accounts {
            cuts.hashes.extend(hashes);
            cuts.ends.push(cuts.hashes.len());
        }
        cuts
    }

    proptest! {
        #[test]
        fn blocks_cover_all_operations_in_order_and_none_has_two_accounts(
            accounts in prop::collection::vec(prop::collection::vec(any::<u64>(), 0..90), 0..5),
            usual in 1_usize..40,
        ) {
            let cuts = cuts(&accounts);
            let mut next = 0;
            for block in cuts.blocks(usual) {
                prop_assert_eq!(block.start, next);
                prop_assert!(!block.is_empty() && block.len() <= usual.div_ceil(3) * 4 + 1);
                prop_assert!(!cuts.ends.iter().any(|end| (block.start + 1..block.end).contains(end)));
                next = block.end;
            }
            prop_assert_eq!(next, cuts.hashes.len());
        }
    }

    #[test]
    fn a_new_operation_changes_few_cuts() {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let hashes: Vec<u64> = (0..1000_u32).map(|id| hasher.hash_one(id)).collect();
        // The operations that blocks end at, when the newest `new` of them are there.
        let last = |new: usize| -> BTreeSet<u64> {
            let cuts = cuts(&[hashes[100 - new..].to_vec()]);
            let blocks = cuts.blocks(12);
            blocks
                .iter()
                .map(|block| cuts.hashes[block.end - 1])
                .collect()
        };
        let mut moved = 0;
        for new in 0..100 {
            moved += last(new + 1).difference(&last(new)).count();
        }
        assert!(moved < 300, "{moved} cuts moved for 100 operations");
    }
}
