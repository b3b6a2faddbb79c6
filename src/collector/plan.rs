//! What to ask for: the cheapest requests that cover what is due. A pure function; it counts requests.
//!
//! A page of the list covers up to a thousand neighbouring operations with one request, so a window of creation times is
//! cheaper than two single reads within it. New operations are looked for every time; what rests is swept when due.

use crate::operation::OperationId;
use crate::registry::{Due, Stretch};
use crate::timestamp::Timestamp;

/// Known operations in one window; a page has room for 1,000, and some may have come to be since.
const ROOM: usize = 900;
/// Requests of a collection that are made even if nothing is due: to show watched operations as fresh as that allows.
const SPARE: usize = 2;

/// A span of creation times, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: Timestamp,
    /// `None`: until now.
    pub(super) until: Option<Timestamp>,
    /// Only operations that Twilio is processing.
    pub(super) processing: bool,
}

/// What there is to decide.
#[derive(Debug, Default)]
pub(super) struct Question {
    /// Where new operations are looked for; `None`: the list is not to be used at all.
    pub(super) newest: Option<Window>,
    /// Oldest first.
    pub(super) stretches: Vec<Stretch>,
    /// How many operations Twilio is processing; `None` where the list cannot be narrowed to them.
    pub(super) processing: Option<usize>,
    /// Due operations that no window would find.
    pub(super) others: Vec<Due>,
    /// Watched operations that are not due.
    pub(super) resting: Vec<Due>,
    /// The most requests; at least two, one for what is new and one for what is old.
    pub(super) budget: usize,
}

/// What to ask for, in this order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// The newest one first, if any.
    pub(super) windows: Vec<Window>,
    pub(super) singles: Vec<OperationId>,
    /// Due, and beyond the budget.
    pub(super) left_out: Vec<OperationId>,
}

/// Something that one request covers.
#[derive(Debug)]
struct Item {
    /// When the operation that waits longest was last read.
    read: Timestamp,
    window: Option<Window>,
    ids: Vec<OperationId>,
}

/// Decides. What waits longest goes first, so that under a small budget everything has its turn.
pub(super) fn plan(question: &Question) -> Plan {
    let mut plan = Plan::default();
    let mut items = match question.newest {
        Some(newest) => {
            plan.windows.push(newest);
            older_than(newest, question)
        }
        None => question
            .stretches
            .iter()
            .flat_map(|stretch| &stretch.due)
            .map(Item::single)
            .collect(),
    };
    items.extend(question.others.iter().map(Item::single));
    items.sort_by_key(|item| item.read);
    let room = question.budget.saturating_sub(plan.windows.len());
    for (at, item) in items.into_iter().enumerate() {
        match item.window {
            _ if at >= room => plan.left_out.extend(item.ids),
            Some(window) => plan.windows.push(window),
            None => plan.singles.extend(item.ids),
        }
    }
    let spare = SPARE
        .min(question.budget)
        .saturating_sub(plan.windows.len() + plan.singles.len());
    plan.singles
        .extend(question.resting.iter().take(spare).map(|due| due.id));
    plan
}

/// What the newest window does not cover; the few that Twilio is processing by one list of their own, if that is cheaper:
/// wherever they are, they are what moves.
fn older_than(newest: Window, question: &Question) -> Vec<Item> {
    let older: Vec<_> = question
        .stretches
        .iter()
        .take_while(|stretch| stretch.from < newest.from)
        .collect();
    let apart = group(&older, |_| true);
    let moving: Vec<_> = older
        .iter()
        .flat_map(|stretch| &stretch.due)
        .filter(|due| due.processing)
        .collect();
    if moving.is_empty()
        || question
            .processing
            .is_none_or(|operations| operations > ROOM)
    {
        return apart;
    }
    let mut together = group(&older, |due| !due.processing);
    let from = older
        .iter()
        .map(|stretch| stretch.from)
        .min()
        .unwrap_or_default();
    together.push(Item {
        read: moving.iter().map(|due| due.read).min().unwrap_or_default(),
        window: Some(Window {
            from,
            until: Some(newest.from),
            processing: true,
        }),
        ids: moving.iter().map(|due| due.id).collect(),
    });
    if together.len() < apart.len() {
        together
    } else {
        apart
    }
}

/// Joins neighbouring stretches with something due that `counts` to windows of one page; a window for one operation is a
/// single read.
fn group(stretches: &[&Stretch], counts: impl Fn(&Due) -> bool) -> Vec<Item> {
    let has_due = |stretch: &&Stretch| stretch.due.iter().any(&counts);
    let mut items = Vec::new();
    let mut rest = stretches;
    while let Some(first) = rest.iter().position(has_due) {
        rest = &rest[first..];
        let mut taken = 0;
        let mut operations = 0;
        for (at, stretch) in rest.iter().enumerate() {
            operations += stretch.operations;
            if at > 0 && operations > ROOM {
                break;
            }
            if has_due(stretch) {
                taken = at + 1;
            }
        }
        let (group, later) = rest.split_at(taken);
        items.push(Item::window(group, &counts));
        rest = later;
    }
    items
}

impl Item {
    fn single(due: &Due) -> Self {
        Self {
            read: due.read,
            window: None,
            ids: vec![due.id],
        }
    }

    fn window(group: &[&Stretch], counts: impl Fn(&Due) -> bool) -> Self {
        let due = || {
            group
                .iter()
                .flat_map(|stretch| &stretch.due)
                .filter(|due| counts(due))
        };
        let from = group
            .iter()
            .map(|stretch| stretch.from)
            .min()
            .unwrap_or_default();
        let until = group.iter().map(|stretch| stretch.until).max();
        let ids: Vec<_> = due().map(|due| due.id).collect();
        Self {
            read: due().map(|due| due.read).min().unwrap_or_default(),
            window: (ids.len() > 1).then_some(Window {
                from,
                until,
                processing: false,
            }),
            ids,
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
