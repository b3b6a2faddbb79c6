//! Keeps equal labels in memory once: thousands of operations of one campaign have the same labels.
//!
//! Interning crates never drop a value. This pool drops labels that no operation has any more.

use std::collections::HashSet;
use std::sync::Arc;

use crate::snapshot::Labels;

/// With fewer labels, it is not worth looking for unused ones.
const FEW: usize = 1024;

/// Labels that are or were in use.
#[derive(Debug, Default)]
pub(super) struct LabelPool {
    known: HashSet<Labels>,
    /// At this size, unused labels are removed.
    full: usize,
}

impl LabelPool {
    /// The equal labels that are in memory already, else `labels`.
    pub(super) fn share(&mut self, labels: Labels) -> Labels {
        if let Some(same) = self.known.get(&labels) {
            return Arc::clone(same);
        }
        if self.known.len() >= self.full {
            self.known.retain(|labels| Arc::strong_count(labels) > 1);
            self.full = FEW.max(2 * self.known.len());
        }
        self.known.insert(Arc::clone(&labels));
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(campaign: usize) -> Labels {
        Arc::new([("campaign".to_owned(), campaign.to_string())].into())
    }

    #[test]
    fn equal_labels_are_in_memory_once() {
        let mut pool = LabelPool::default();
        let first = pool.share(labels(1));
        assert!(Arc::ptr_eq(&first, &pool.share(labels(1))));
        assert!(!Arc::ptr_eq(&first, &pool.share(labels(2))));
    }

    #[test]
    fn unused_labels_are_removed() {
        let mut pool = LabelPool::default();
        let kept: Vec<_> = (0..10)
            .map(|campaign| pool.share(labels(campaign)))
            .collect();
        for campaign in 0..100 * FEW {
            pool.share(labels(campaign));
        }
        assert!(pool.known.len() <= FEW, "{}", pool.known.len());
        assert!(Arc::ptr_eq(&kept[3], &pool.share(labels(3))));
    }
}
