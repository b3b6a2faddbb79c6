//! Undocumented words have series of their own, up to a limit.

use super::*;
use crate::operation::{ResponseField, Word};

fn odd(n: u32, state: &str, stats: &[(&str, u32)]) -> Operation {
    let mut operation = operation(NOW, n, 5);
    operation.state = OperationState::parse(state);
    let stats = stats
        .iter()
        .map(|(name, emails)| (Word::new(name), *emails));
    operation.stats.unknown = Some(stats.collect());
    operation
}

fn undocumented(registry: &Registry) -> (usize, usize) {
    let totals = &registry.tables.totals;
    (
        totals.undocumented_states().count(),
        totals.undocumented_stats().count(),
    )
}

fn noted(registry: &mut Registry) -> BTreeMap<ResponseField, u64> {
    registry.take_unexpected().counts().collect()
}

#[test]
fn words_beyond_the_limit_are_other_and_counted() {
    let mut registry = registry(&[]);
    let operations: Vec<_> = (0..2000)
        .map(|n| {
            odd(
                n,
                &format!("s{n}"),
                &[(&format!("a{n}"), 1), (&format!("b{n}"), 2)],
            )
        })
        .collect();
    observe(&mut registry, &operations, NOW);
    assert_eq!(undocumented(&registry), (21, 21));
    let other = registry
        .tables
        .totals
        .operations()
        .find(|(state, _)| *state == "other");
    assert_eq!(other, Some(("other", 1980)));
    assert_eq!(sum(&registry, "other"), 1990 * 3);
    assert_eq!(
        noted(&mut registry),
        BTreeMap::from([(ResponseField::Status, 1980), (ResponseField::Stats, 3980)])
    );
    let words = |registry: &Registry| {
        let shown = registry
            .presenter()
            .snapshot(CollectionStatus::default())
            .operations;
        let seen = shown.into_iter().filter_map(|shown| shown.seen);
        let words: std::collections::BTreeSet<_> = seen
            .flat_map(|seen| {
                [
                    vec![Word::new(seen.state.as_str())],
                    seen.stats
                        .unknown()
                        .iter()
                        .map(|(word, _)| word.clone())
                        .collect(),
                ]
                .concat()
            })
            .collect();
        words.len()
    };
    registry.most_shown = 2000;
    assert_eq!(words(&registry), 41, "20 of each and `other`");
    // Nothing has changed when they are read again.
    let batch = registry.unsaved();
    registry.saved(&batch);
    observe(&mut registry, &operations, NOW);
    assert!(registry.is_saved());
    // The same number is restored.
    let mut after = super::registry(&[]);
    after.restore_operations(batch.operations, NOW);
    assert_eq!(undocumented(&after), (21, 21));
    assert_eq!(after.tables.totals, registry.tables.totals);
}

#[test]
fn a_word_that_no_operation_has_any_more_makes_room() {
    let mut registry = registry(&[]);
    let operations: Vec<_> = (0..21)
        .map(|n| odd(n, &format!("s{n}"), &[(&format!("a{n}"), 0)]))
        .collect();
    observe(&mut registry, &operations, NOW);
    assert_eq!(
        (undocumented(&registry), sum(&registry, "other")),
        ((21, 21), 0)
    );
    observe(&mut registry, &[operation(NOW, 0, 5)], NOW);
    observe(&mut registry, &operations[20..], NOW);
    assert_eq!(undocumented(&registry), (20, 20));
    assert!(
        registry
            .tables
            .totals
            .operations()
            .any(|state| state == ("s20", 1))
    );
    let all: Vec<_> = (0..21).map(|n| operation(NOW, n, 5)).collect();
    observe(&mut registry, &all, NOW);
    assert_eq!(undocumented(&registry), (0, 0));
}

#[test]
fn sums_stay_correct_while_words_come_and_go() {
    let mut registry = registry(&[]);
    for n in 0..500 {
        observe(&mut registry, &[odd(0, &format!("s{n}"), &[])], NOW);
        assert_eq!(registry.tables.totals.size(), 1);
        assert!(undocumented(&registry).0 <= 1);
    }
}

#[test]
fn many_words_of_one_operation_stay_within_the_limit() {
    let mut registry = registry(&[]);
    let words: Vec<_> = (0..32).map(|n| format!("w{n}")).collect();
    let stats = |words: &[String]| {
        odd(
            0,
            "PAUSED",
            &words.iter().map(|word| (&**word, 1)).collect::<Vec<_>>(),
        )
    };
    let [first, mut second] = [stats(&words[..16]), stats(&words[16..])];
    second.id = id(NOW, 1);
    observe(&mut registry, &[first, second], NOW);
    assert_eq!(
        (undocumented(&registry), sum(&registry, "other")),
        ((1, 21), 12)
    );
}

#[test]
fn known_words_do_not_count_against_new_ones_and_all_others_are_one() {
    let mut registry = registry(&[]);
    let words: Vec<_> = (10..32).map(|n| format!("w{n}")).collect();
    let with = |n, words: &[String]| {
        let stats: Vec<_> = words.iter().map(|word| (&**word, 1)).collect();
        let mut operation = odd(n, "PAUSED", &stats);
        operation.state = OperationState::Completed;
        operation
    };
    observe(
        &mut registry,
        &[with(0, &words[..15]), with(1, &words[..20])],
        NOW,
    );
    assert_eq!(undocumented(&registry), (0, 20));
    let mut beyond = words[19..].to_vec();
    beyond.insert(0, "other".to_owned());
    observe(&mut registry, &[with(2, &beyond)], NOW);
    let seen = registry
        .presenter()
        .view(id(NOW, 2))
        .unwrap()
        .shown
        .seen
        .unwrap();
    let expected = [("other", 3), ("w29", 1)].map(|(word, emails)| (Word::new(word), emails));
    assert_eq!(seen.stats.unknown(), expected);
}

#[test]
fn other_words_are_in_order_and_an_unreadable_state_needs_no_place() {
    let mut registry = registry(&[]);
    let words: Vec<_> = (10..32).map(|n| format!("w{n}")).collect();
    let stats: Vec<_> = words.iter().map(|word| (&**word, 1)).collect();
    let states = (0..20).map(|n| odd(n, &format!("s{n}"), &stats));
    observe(&mut registry, &states.collect::<Vec<_>>(), NOW);
    let shown = |registry: &Registry, n| registry.presenter().view(id(NOW, n)).unwrap().shown;
    let seen = shown(&registry, 0).seen.unwrap();
    assert!(
        seen.stats.unknown().is_sorted(),
        "{:?}",
        seen.stats.unknown()
    );
    observe(
        &mut registry,
        &[odd(20, "Jane Doe", &[]), odd(21, "s21", &[])],
        NOW,
    );
    let states = [20, 21].map(|n| shown(&registry, n).seen.unwrap().state);
    assert_eq!(
        [states[0].as_str(), states[1].as_str()],
        [Word::UNREADABLE, Word::OTHER]
    );
}
