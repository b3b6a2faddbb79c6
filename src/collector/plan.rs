//! Plans the fewest requests that cover all due operations. A pure function.
//!
//! A page of the list covers up to a thousand neighboring operations with one request, so a window of creation times is cheaper than two
//! single reads within it. Every plan lists the newest operations; windows and single reads cover older ones when they are due.

use crate::operation::OperationId;
use crate::registry::{Due, ListRange};
use crate::timestamp::Timestamp;

/// A collection makes this many requests even if nothing is due, so that configured operations stay fresh.
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

/// The input of a plan.
#[derive(Debug, Default)]
pub(super) struct PlanInput {
    /// The window in which new operations appear; `None` if the list is not to be used.
    pub(super) newest: Option<Window>,
    /// Oldest first.
    pub(super) ranges: Vec<ListRange>,
    /// How many operations Twilio is processing; `None` if the list cannot be filtered by state.
    pub(super) processing: Option<usize>,
    /// Due operations that no window would find.
    pub(super) others: Vec<Due>,
    /// Configured operations that are not due.
    pub(super) idle: Vec<Due>,
    /// How many known operations one page covers.
    pub(super) room: usize,
    /// The most requests; at least two, one for new operations and one for known ones.
    pub(super) budget: usize,
}

/// The requests, in this order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// The newest one first, if any.
    pub(super) windows: Vec<Window>,
    pub(super) singles: Vec<OperationId>,
    /// Due operations that do not fit into the budget.
    pub(super) left_out: Vec<OperationId>,
}

/// One window or one single read.
#[derive(Debug)]
struct PlannedRequest {
    /// The last read of its least recently read operation.
    read: Timestamp,
    window: Option<Window>,
    /// The requests that it takes.
    cost: usize,
    ids: Vec<OperationId>,
}

/// Plans a collection. The least recently read operation comes first, so that a small budget serves all of them in turn.
pub(super) fn plan(input: &PlanInput) -> Plan {
    let mut plan = Plan::default();
    let mut items = match input.newest {
        Some(newest) => {
            plan.windows.push(newest);
            older_than(newest, input)
        }
        None => input
            .ranges
            .iter()
            .flat_map(|range| &range.due)
            .map(PlannedRequest::single)
            .collect(),
    };
    items.extend(input.others.iter().map(PlannedRequest::single));
    items.sort_by_key(|item| item.read);
    let budget = input.budget.saturating_sub(plan.windows.len());
    let mut cost = 0;
    for item in items {
        // A window that costs more than the whole budget is read, too, when it comes first.
        let fits = cost == 0 || cost + item.cost <= budget;
        cost += item.cost;
        match item.window {
            _ if !fits => plan.left_out.extend(item.ids),
            Some(window) => plan.windows.push(window),
            None => plan.singles.extend(item.ids),
        }
    }
    let spare = SPARE
        .min(input.budget)
        .saturating_sub(plan.windows.len() + plan.singles.len());
    plan.singles
        .extend(input.idle.iter().take(spare).map(|due| due.id));
    plan
}

/// The requests for operations that the newest window does not cover. If it is cheaper, one list filtered by state covers the few
/// that Twilio is processing.
fn older_than(newest: Window, input: &PlanInput) -> Vec<PlannedRequest> {
    let older: Vec<_> = input
        .ranges
        .iter()
        .take_while(|range| range.from < newest.from)
        .collect();
    let apart = group(&older, input.room, |_| true);
    let moving: Vec<_> = older
        .iter()
        .flat_map(|range| &range.due)
        .filter(|due| due.processing)
        .collect();
    if moving.is_empty()
        || input
            .processing
            .is_none_or(|operations| operations > input.room)
    {
        return apart;
    }
    let mut together = group(&older, input.room, |due| !due.processing);
    let from = older
        .iter()
        .map(|range| range.from)
        .min()
        .unwrap_or_default();
    together.push(PlannedRequest {
        read: moving
            .iter()
            .map(|due| due.last_attempt)
            .min()
            .unwrap_or_default(),
        window: Some(Window {
            from,
            until: Some(newest.from),
            processing: true,
        }),
        cost: 1,
        ids: moving.iter().map(|due| due.id).collect(),
    });
    let cost = |items: &[PlannedRequest]| items.iter().map(|item| item.cost).sum::<usize>();
    if cost(&together) < cost(&apart) {
        together
    } else {
        apart
    }
}

/// Joins neighboring ranges with due operations that `counts` accepts into windows of one page, which covers `room` operations. Where
/// single reads cost no more, they replace the window.
fn group(ranges: &[&ListRange], room: usize, counts: impl Fn(&Due) -> bool) -> Vec<PlannedRequest> {
    let has_due = |range: &&ListRange| range.due.iter().any(&counts);
    let mut items = Vec::new();
    let mut rest = ranges;
    while let Some(first) = rest.iter().position(has_due) {
        rest = &rest[first..];
        let mut taken = 0;
        let mut operations = 0;
        for (at, range) in rest.iter().enumerate() {
            operations += range.operations;
            if at > 0 && operations > room {
                break;
            }
            if has_due(range) {
                taken = at + 1;
            }
        }
        let (group, later) = rest.split_at(taken);
        items.extend(PlannedRequest::of(group, room, &counts));
        rest = later;
    }
    items
}

impl PlannedRequest {
    fn single(due: &Due) -> Self {
        Self {
            read: due.last_attempt,
            window: None,
            cost: 1,
            ids: vec![due.id],
        }
    }

    /// One window, or single reads if they need no more requests.
    fn of(group: &[&ListRange], room: usize, counts: impl Fn(&Due) -> bool) -> Vec<Self> {
        let operations: usize = group.iter().map(|range| range.operations).sum();
        let cost = operations.div_ceil(room.max(1)).max(1);
        let due = || {
            group
                .iter()
                .flat_map(|range| &range.due)
                .filter(|due| counts(due))
        };
        let from = group
            .iter()
            .map(|range| range.from)
            .min()
            .unwrap_or_default();
        let until = group.iter().map(|range| range.until).max();
        let ids: Vec<_> = due().map(|due| due.id).collect();
        if ids.len() <= cost {
            return due().map(Self::single).collect();
        }
        vec![Self {
            read: due().map(|due| due.last_attempt).min().unwrap_or_default(),
            window: Some(Window {
                from,
                until,
                processing: false,
            }),
            cost,
            ids,
        }]
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
