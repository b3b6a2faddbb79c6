//! This machine's clock is set forward or back: nothing waits longer for it, and nothing is polled again and again.

use std::time::Instant;

use super::*;
use crate::registry::group::ZERO_FOR;

const TICK: Duration = Duration::from_secs(15);

/// How far the clock is set.
#[derive(Debug, Clone, Copy)]
enum Set {
    Not,
    Back(Duration),
    Forward(Duration),
}

const SET: [Set; 5] = [
    Set::Not,
    Set::Back(Duration::from_mins(10)),
    Set::Back(Duration::from_hours(9)),
    Set::Forward(Duration::from_mins(10)),
    Set::Forward(Duration::from_hours(9)),
];

impl Set {
    /// What the clock shows `passed` after [`NOW`], at which it was set.
    fn shows(self, passed: Duration) -> Timestamp {
        match self {
            Self::Not => NOW + passed,
            Self::Back(span) => NOW - span + passed,
            Self::Forward(span) => NOW + span + passed,
        }
    }
}

/// Runs a day of collections with `registry`, whose clock is set at [`NOW`]. Returns when each operation was polled; `poll` reads or
/// fails one.
fn polled(
    registry: &mut Registry,
    set: Set,
    poll: impl Fn(&mut Registry, OperationId, Timestamp),
) -> Vec<(Duration, OperationId)> {
    let start = Instant::now();
    registry.set_time(NOW, start);
    let mut polled = Vec::new();
    for tick in 1..24 * 60 * 4 {
        let passed = tick * TICK;
        let now = set.shows(passed);
        registry.set_time(now, start + passed);
        for id in due(registry, now) {
            poll(registry, id, now);
            polled.push((passed, id));
        }
    }
    polled
}

/// Operations that last changed at different times before [`NOW`], by Twilio's clock or by this machine's, and are idle since.
fn idle() -> (Registry, Vec<Operation>) {
    let mut registry = registry(&[]);
    let mut all = Vec::new();
    for (n, minutes) in (0..).zip([0, 1, 9, 30, 100, 300, 600, 2000]) {
        let change = NOW - Duration::from_mins(minutes);
        // Without `updatedAt`, an operation changed when the exporter saw the change.
        let noted = operation(NOW - 50 * HOUR, n, 2);
        let before = operation(NOW - 50 * HOUR, n, 1);
        observe(&mut registry, &[before], change - TICK);
        observe(&mut registry, std::slice::from_ref(&noted), change);
        let mut by_twilio = operation(NOW - 50 * HOUR, 100 + n, 2);
        by_twilio.updated = Some(change);
        all.extend([noted, by_twilio]);
    }
    observe(&mut registry, &all, NOW);
    (registry, all)
}

fn polls_of_idle(set: Set) -> BTreeMap<OperationId, Vec<Duration>> {
    let (mut registry, all) = idle();
    let read = |registry: &mut Registry, id, now| {
        let operation = all.iter().find(|operation| operation.id == id).unwrap();
        observe(registry, std::slice::from_ref(operation), now);
    };
    let mut polls: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (passed, id) in polled(&mut registry, set, read) {
        polls.entry(id).or_default().push(passed);
    }
    polls
}

#[test]
fn an_idle_operation_is_polled_as_often_whether_the_clock_is_set_or_not() {
    let usual = polls_of_idle(Set::Not);
    assert_eq!(usual.len(), 16);
    let most = usual.values().map(Vec::len).max().unwrap();
    for set in SET {
        let polls = polls_of_idle(set);
        for (id, usual) in &usual {
            let polls = &polls[id];
            // Those that were due before are not later.
            assert!(
                polls[0] <= usual[0],
                "{set:?}: {:?} {:?}",
                polls[0],
                usual[0]
            );
            // At worst as often as one that has just changed.
            assert!(polls.len() <= most + 1, "{set:?}: {} {most}", polls.len());
            // None waits for as long as the clock was set back.
            let longest = polls
                .windows(2)
                .map(|pair| pair[1].saturating_sub(pair[0]))
                .max()
                .unwrap();
            assert!(
                longest <= 2 * schedule::LONGEST + TICK,
                "{set:?}: {longest:?}"
            );
        }
    }
}

#[test]
fn a_change_that_the_exporter_noted_is_as_old_as_before_when_the_clock_is_set() {
    let usual = polls_of_idle(Set::Not);
    for span in [Duration::from_mins(10), Duration::from_hours(9)] {
        let back = polls_of_idle(Set::Back(span));
        let forward = polls_of_idle(Set::Forward(span));
        for n in 0..8 {
            let id = id(NOW - 50 * HOUR, n);
            assert_eq!(back[&id], usual[&id], "{span:?} {n}");
            // After the clock is set forward, the last read seems long ago, so the operation is due once.
            let early = usual[&id][0].saturating_sub(span).max(TICK);
            assert!(forward[&id][0] <= early, "{span:?} {n}");
            assert!(forward[&id].len() <= usual[&id].len() + 2, "{span:?} {n}");
        }
    }
}

#[test]
fn an_operation_that_twilio_does_not_know_is_polled_as_often_when_the_clock_is_set() {
    let polls = |set| {
        let mut registry = registry(&[id(NOW, 0)]);
        for minutes in (0..=60).rev() {
            registry.fail(
                id(NOW, 0),
                Reason::NotFound,
                NOW - Duration::from_mins(minutes),
            );
        }
        polled(&mut registry, set, |registry, id, now| {
            registry.fail(id, Reason::NotFound, now);
        })
    };
    let usual = polls(Set::Not);
    assert!((25..40).contains(&usual.len()), "{}", usual.len());
    for set in SET {
        let polls = polls(set);
        match set {
            Set::Forward(_) => assert!(polls.len() <= usual.len() + 1, "{set:?}"),
            _ => assert_eq!(polls, usual, "{set:?}"),
        }
    }
}

/// After a restart the exporter cannot know that the clock was set back.
#[test]
fn times_in_the_future_that_were_saved_make_an_operation_due_once() {
    let mut before = registry(&[]);
    observe(&mut before, &[operation(NOW - 50 * HOUR, 0, 1)], NOW);
    let mut registry = registry(&[]);
    let now = NOW - 9 * HOUR;
    registry.restore_operations(before.unsaved().operations, now);
    let read = |registry: &mut Registry, _, now| {
        observe(registry, &[operation(NOW - 50 * HOUR, 0, 1)], now);
    };
    registry.set_time(now, Instant::now());
    assert_eq!(due(&registry, now).len(), 1);
    let polls = polled(&mut registry, Set::Back(9 * HOUR), read);
    assert!(polls.len() < 150, "{}", polls.len());
}

#[test]
fn a_failure_in_the_future_makes_an_operation_that_twilio_does_not_know_due_once() {
    let mut registry = registry(&[id(NOW, 0)]);
    registry.fail(id(NOW, 0), Reason::NotFound, NOW);
    // Without a comparison of clocks.
    let back = NOW - 9 * HOUR;
    assert_eq!(due(&registry, back).len(), 1);
    registry.fail(id(NOW, 0), Reason::NotFound, back);
    registry.fail(id(NOW, 0), Reason::NotFound, back + HOUR);
    assert_eq!(due(&registry, back + HOUR + Duration::from_mins(5)), []);
    assert_eq!(
        due(&registry, back + HOUR + Duration::from_mins(6)).len(),
        1
    );
}

#[test]
fn an_attempt_in_the_future_is_served_first() {
    let [read, failed] = [0, 1].map(|n| id(NOW - HOUR, n));
    let mut registry = registry(&[read, failed]);
    let back = NOW - Duration::from_mins(10);
    observe(&mut registry, &[operation(NOW - HOUR, 0, 1)], NOW);
    registry.fail(failed, Reason::ServerError, NOW);
    let attempts = |registry: &Registry, now| {
        let due = attempts_of_due(registry, now);
        due.into_iter()
            .map(|due| (due.id, due.last_attempt))
            .collect::<BTreeMap<_, _>>()
    };
    let never = Timestamp::default();
    assert_eq!(
        attempts(&registry, back),
        [(read, never), (failed, never)].into()
    );
    let later = NOW + HOUR;
    assert_eq!(
        attempts(&registry, later),
        [(read, NOW), (failed, NOW)].into()
    );
    // An attempt at this time is not in the future.
    assert_eq!(schedule::attempt(NOW, NOW), NOW);
    registry.fail(read, Reason::ServerError, later);
    assert_eq!(attempts(&registry, later + HOUR)[&read], later);
}

#[test]
fn a_read_in_the_future_does_not_belong_to_a_collection_whose_list_fails() {
    let mut registry = registry(&[]);
    observe(&mut registry, &[operation(NOW - HOUR, 0, 1)], NOW);
    let back = NOW - Duration::from_mins(10);
    registry.fail_windows([(NOW - 2 * HOUR, None)], back, back + TICK);
    assert_eq!(up(&registry, id(NOW - HOUR, 0)), Some(false));
}

#[test]
fn discovery_by_a_clock_that_was_ahead_is_limited_to_now() {
    let mut registry = registry(&[]);
    registry.discovered(NOW + 9 * HOUR);
    let start = Instant::now();
    registry.set_time(NOW + 9 * HOUR, start);
    assert_eq!(registry.discovered_until(), Some(NOW + 9 * HOUR));
    registry.set_time(NOW, start + TICK);
    assert_eq!(registry.discovered_until(), Some(NOW));
}

#[test]
fn a_new_group_is_exposed_as_0_for_as_long_whether_the_clock_is_set_or_not() {
    for set in SET {
        let mut registry = registry(&[]);
        let labels = Arc::new([("campaign".to_owned(), "spring".to_owned())].into());
        registry.set(&Source::Api, id(NOW - HOUR, 0), Some(labels));
        let start = Instant::now();
        registry.set_time(NOW, start);
        observe(&mut registry, &[operation(NOW - HOUR, 0, 4)], NOW);
        let mut exposed = |passed: Duration, now| {
            registry.set_time(now, start + passed);
            registry.expire(now);
            let _ = counted(&mut registry);
            registry.exposed();
            let groups = registry
                .presenter()
                .snapshot(CollectionStatus::default())
                .groups;
            groups[0].counters.unwrap().accepted
        };
        assert_eq!(exposed(Duration::ZERO, NOW), 0);
        let nearly = ZERO_FOR.saturating_sub(Duration::from_millis(1));
        assert_eq!(exposed(TICK, set.shows(TICK)), 0, "{set:?}");
        assert_eq!(exposed(nearly, set.shows(nearly)), 0, "{set:?}");
        assert_eq!(exposed(ZERO_FOR, set.shows(ZERO_FOR)), 4, "{set:?}");
    }
}
