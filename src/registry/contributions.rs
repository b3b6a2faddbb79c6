//! Which operations made the counters of an account grow, for exemplars.
//!
//! An exemplar belongs to emails that its counter includes. Counters are exposed as saved, so a contribution is exposed only after a
//! save that includes it.

use crate::operation::{Counters, Marks, OperationId, Outcome};
use crate::snapshot::Contribution;
use crate::timestamp::Timestamp;

/// The number of counters: accepted emails, then each outcome.
const COUNTERS: usize = 1 + Outcome::ALL.len();

/// The contributions to each counter.
#[derive(Debug, Default)]
pub(super) struct Contributions {
    /// The largest one since the last save.
    unsaved: [Option<Unsaved>; COUNTERS],
    saved: [Option<Contribution>; COUNTERS],
}

#[derive(Debug, Clone, Copy)]
struct Unsaved {
    contribution: Contribution,
    /// The counter's value right after it: a save of at least this value includes it.
    reached: u64,
}

impl Contributions {
    /// Notes that `operation`, read at `read`, made `counters` grow by the growth of its marks. They include it already.
    pub(super) fn add(
        &mut self,
        operation: OperationId,
        (from, to): (Marks, Marks),
        counters: &Counters,
        read: Timestamp,
    ) {
        let marks = of_marks(from).into_iter().zip(of_marks(to));
        let values = marks.zip(of_counters(counters));
        for (unsaved, ((from, to), reached)) in self.unsaved.iter_mut().zip(values) {
            let emails = to.saturating_sub(from);
            let most = unsaved.map_or(0, |unsaved| unsaved.contribution.emails);
            if emails > 0 && emails >= most {
                let contribution = Contribution {
                    operation,
                    emails,
                    read,
                };
                *unsaved = Some(Unsaved {
                    contribution,
                    reached,
                });
            }
        }
    }

    /// Notes that `counters` were saved.
    pub(super) fn saved(&mut self, counters: &Counters) {
        let slots = self.unsaved.iter_mut().zip(&mut self.saved);
        for ((unsaved, saved), value) in slots.zip(of_counters(counters)) {
            if let Some(included) = unsaved.take_if(|unsaved| unsaved.reached <= value) {
                *saved = Some(included.contribution);
            }
        }
    }

    /// The last contribution to accepted emails that was saved, and that to each outcome.
    pub(super) const fn exposed(
        &self,
    ) -> (
        Option<Contribution>,
        [Option<Contribution>; Outcome::ALL.len()],
    ) {
        let [accepted, outcomes @ ..] = self.saved;
        (accepted, outcomes)
    }
}

fn of_marks(marks: Marks) -> [u32; COUNTERS] {
    let [delivered, opened, undelivered, failed, canceled] = marks.outcomes;
    let accepted = marks.accepted;
    [accepted, delivered, opened, undelivered, failed, canceled]
}

fn of_counters(counters: &Counters) -> [u64; COUNTERS] {
    let [delivered, opened, undelivered, failed, canceled] = counters.outcomes;
    let accepted = counters.accepted;
    [accepted, delivered, opened, undelivered, failed, canceled]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(last: char) -> OperationId {
        let id = format!("comms_operation_01h2xcejqtf2nbrexx3vqjhp4{last}");
        id.parse().unwrap()
    }

    fn failed(emails: u32) -> Marks {
        let mut marks = Marks::default();
        marks.outcomes[Outcome::Failed as usize] = emails;
        marks
    }

    /// Adds the failed emails of operations in turn; returns the counters after them.
    fn add(contributions: &mut Contributions, counters: &mut Counters, operations: &[(char, u32)]) {
        for (last, emails) in operations {
            counters.count(Marks::default(), failed(*emails));
            let marks = (Marks::default(), failed(*emails));
            contributions.add(id(*last), marks, counters, Timestamp::from_millis(7));
        }
    }

    fn exposed(contributions: &Contributions) -> Option<(OperationId, u32)> {
        let (_, outcomes) = contributions.exposed();
        let failed = outcomes[Outcome::Failed as usize];
        failed.map(|contribution| (contribution.operation, contribution.emails))
    }

    #[test]
    fn the_largest_contribution_since_the_last_save_is_exposed() {
        let (mut contributions, mut counters) = Default::default();
        add(
            &mut contributions,
            &mut counters,
            &[('1', 3), ('2', 9), ('3', 4), ('4', 0)],
        );
        assert_eq!(exposed(&contributions), None, "nothing is saved");
        contributions.saved(&counters);
        assert_eq!(exposed(&contributions), Some((id('2'), 9)));
        contributions.saved(&counters);
        assert_eq!(
            exposed(&contributions),
            Some((id('2'), 9)),
            "it stays until there is growth"
        );
        add(&mut contributions, &mut counters, &[('4', 1)]);
        contributions.saved(&counters);
        assert_eq!(exposed(&contributions), Some((id('4'), 1)));
        assert_eq!(contributions.exposed().0, None, "none was accepted");
    }

    #[test]
    fn a_contribution_after_the_saved_values_is_exposed_with_the_next_save() {
        let (mut contributions, mut counters) = Default::default();
        add(&mut contributions, &mut counters, &[('1', 3)]);
        let being_saved = counters;
        add(&mut contributions, &mut counters, &[('2', 9)]);
        contributions.saved(&being_saved);
        assert_eq!(exposed(&contributions), None, "9 emails are not saved yet");
        contributions.saved(&counters);
        assert_eq!(exposed(&contributions), Some((id('2'), 9)));
    }
}
