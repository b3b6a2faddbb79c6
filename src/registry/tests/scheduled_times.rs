//! The times for which operations are scheduled.

use super::*;

fn scheduled(created: Timestamp, n: u32, waiting: u32) -> Operation {
    let mut operation = operation(created, n, 0);
    operation.state = OperationState::Scheduled;
    operation.stats.set(Status::Scheduled, waiting);
    operation
}

fn time(registry: &Registry, id: OperationId) -> Option<Timestamp> {
    registry.presenter().view(id).unwrap().shown.scheduled_for
}

#[test]
fn the_first_emails_of_scheduled_operations_with_series_are_wanted_until_they_are_read() {
    let mut registry = registry(&[]);
    let other = operation(NOW, 0, 1);
    // Its state is not `SCHEDULED`, although some of its emails are scheduled.
    let mut partly = operation(NOW, 1, 1);
    partly.stats.set(Status::Scheduled, 1);
    let whole = scheduled(NOW, 2, 1);
    // Two have series.
    let hidden = scheduled(NOW - HOUR, 0, 1);
    observe(
        &mut registry,
        &[other.clone(), partly.clone(), whole.clone(), hidden],
        NOW,
    );
    assert_eq!(registry.without_first_email(9), [whole.id, partly.id]);
    assert_eq!(registry.without_first_email(1), [whole.id]);
    registry.scheduled_for(whole.id, Some(NOW + HOUR));
    registry.scheduled_for(partly.id, None);
    registry.scheduled_for(other.id, None);
    assert_eq!(registry.without_first_email(9), []);
    assert_eq!(time(&registry, whole.id), Some(NOW + HOUR));
    assert_eq!(time(&registry, partly.id), None);
    partly.stats.set(Status::Scheduled, 2);
    observe(&mut registry, &[partly], NOW);
    assert_eq!(registry.without_first_email(9), [], "it was read");
}

#[test]
fn a_first_email_that_is_missing_is_requested_three_times_and_once_more_after_each_change() {
    let mut registry = registry(&[]);
    let of = |waiting| scheduled(NOW, 0, waiting);
    observe(&mut registry, &[of(1)], NOW);
    for tries in 0..3 {
        assert_eq!(registry.without_first_email(9), [of(1).id], "{tries}");
        registry.first_email_not_found(of(1).id);
    }
    for waiting in [2, 3] {
        assert_eq!(registry.without_first_email(9), []);
        observe(&mut registry, &[of(waiting)], NOW);
        assert_eq!(registry.without_first_email(9), [of(1).id]);
        registry.first_email_not_found(of(1).id);
    }
}

#[test]
fn a_time_is_saved_once_and_ends_with_its_operation() {
    let mut registry = registry(&[]);
    let operation = scheduled(NOW, 0, 1);
    observe(&mut registry, std::slice::from_ref(&operation), NOW);
    registry.saved(&registry.unsaved());
    registry.scheduled_for(operation.id, Some(NOW + HOUR));
    let [saved] = &registry.unsaved().operations[..] else {
        panic!("one has changed");
    };
    assert_eq!(saved.scheduled_for, Some(NOW + HOUR));
    registry.saved(&registry.unsaved());
    registry.scheduled_for(operation.id, Some(NOW + HOUR));
    assert!(registry.is_saved());
    let mut again = super::registry(&[]);
    again.restore_operations([saved.clone()], NOW);
    assert_eq!(time(&again, operation.id), Some(NOW + HOUR));
    assert_eq!(again.without_first_email(9), []);
    again.expire(NOW + RETENTION);
    observe(&mut again, std::slice::from_ref(&operation), NOW);
    assert_eq!(time(&again, operation.id), None, "its entry is gone");
}

#[test]
fn a_request_answers_for_tags_and_for_the_schedule() {
    let mut tagged = series();
    tagged.tags = vec!["campaign".to_owned()];
    let mut registry = Registry::new(Arc::from("default"), &tagged, None, NOW - 48 * HOUR);
    begin(&mut registry);
    let (first, second) = (scheduled(NOW, 0, 1), operation(NOW, 1, 1));
    observe(&mut registry, &[first.clone(), second.clone()], NOW);
    assert_eq!(registry.without_first_email(9), [first.id, second.id]);
    registry.tagged(first.id, Some(&Labels::default()));
    registry.scheduled_for(first.id, Some(NOW + HOUR));
    assert_eq!(registry.without_first_email(9), [second.id]);
    // It is being processed now, and its first email still has the time.
    registry.tagged(second.id, Some(&Labels::default()));
    registry.scheduled_for(second.id, Some(NOW));
    assert_eq!(registry.without_first_email(9), []);
    assert_eq!(time(&registry, second.id), Some(NOW));
}
