//! What is kept comes back.

use proptest::prelude::*;

use super::*;
use crate::operation::{Stat, Word};
use crate::store::record::{
    read_account, read_group, read_labels, read_operation, write_account, write_labels,
    write_operation,
};

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![any::<i64>(), 1_600_000_000_000_i64..2_000_000_000_000]
        .prop_map(Timestamp::from_millis)
}

fn word() -> impl Strategy<Value = Word> {
    "[a-zA-Z0-9_.:-]{1,64}".prop_map(|text| Word::new(&text))
}

fn state() -> impl Strategy<Value = OperationState> {
    prop_oneof![
        proptest::sample::select(&OperationState::KNOWN[..]),
        word().prop_map(OperationState::Other),
    ]
}

fn count() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), 0..300_u32, any::<u32>()]
}

fn stats() -> impl Strategy<Value = Stats> {
    let quantities = Stat::QUANTITIES.map(|_| proptest::option::of(count()));
    let unknown = proptest::option::of(proptest::collection::vec((word(), count()), 0..4));
    (proptest::array::uniform8(count()), quantities, unknown).prop_map(
        |(emails, quantities, unknown)| {
            let mut stats = Stats {
                emails,
                unknown: unknown.map(Into::into),
                ..Stats::default()
            };
            for (stat, count) in Stat::QUANTITIES.into_iter().zip(quantities) {
                if let Some(count) = count {
                    stats.set_count(stat, count);
                }
            }
            stats
        },
    )
}

pub(super) fn any_saved() -> impl Strategy<Value = SavedOperation> {
    let id = "[0-7][0-9a-hjkmnp-tv-z]{25,34}"
        .prop_map(|ulid| format!("{PREFIX}{ulid}").parse().unwrap());
    let operation = (id, state(), stats(), time(), proptest::option::of(time())).prop_map(
        |(id, state, stats, created, updated)| Operation {
            id,
            state,
            stats,
            created,
            updated,
        },
    );
    let marks = (count(), proptest::array::uniform5(count()))
        .prop_map(|(accepted, outcomes)| Marks { accepted, outcomes });
    let times = (time(), time());
    (
        operation,
        times,
        marks,
        labels(),
        (proptest::option::of(labels()), proptest::option::of(time())),
    )
        .prop_map(
            |(operation, (last_success, last_change), marks, credited, (tags, scheduled_for))| {
                SavedOperation {
                    operation,
                    last_success,
                    last_change,
                    marks,
                    credited,
                    tags,
                    scheduled_for,
                }
            },
        )
}

fn labels() -> impl Strategy<Value = Labels> {
    proptest::collection::btree_map("[a-z_]{1,9}", ".{0,20}", 0..4).prop_map(Labels::new)
}

pub(super) fn any_standing() -> impl Strategy<Value = SavedAccount> {
    let counters = (any::<u64>(), proptest::array::uniform5(any::<u64>()))
        .prop_map(|(accepted, outcomes)| Counters { accepted, outcomes });
    (
        time(),
        counters,
        any::<bool>(),
        proptest::option::of(time()),
    )
        .prop_map(
            |(born, counters, cumulative_proven, discovered_until)| SavedAccount {
                born,
                counters,
                cumulative_proven,
                discovered_until,
            },
        )
}

proptest! {
    #[test]
    fn every_operation_round_trips(saved in any_saved()) {
        let mut bytes = vec![1, 2, 3];
        write_operation(&saved, &mut bytes);
        prop_assert_eq!(read_operation(saved.operation.id, &bytes), Ok(saved));
    }

    #[test]
    fn every_standing_round_trips(saved in any_standing()) {
        prop_assert_eq!(read_account(&write_account(&saved)), Ok(saved));
    }

    #[test]
    fn registered_labels_round_trip(given in labels()) {
        prop_assert_eq!(read_labels(&write_labels(&given)), Ok(given));
    }

    #[test]
    fn no_bytes_panic(mut bytes: Vec<u8>, version in 0_u8..5) {
        if let Some(first) = bytes.first_mut() {
            *first = version;
        }
        let _ = read_account(&bytes);
        let _ = read_labels(&bytes);
        let _ = read_group(GroupKey::new("campaign", "spring"), &bytes);
        let _ = read_operation(saved(0, 0).operation.id, &bytes);
    }

    #[test]
    fn a_record_cut_short_is_no_record(saved in any_saved(), cut: prop::sample::Index) {
        let mut bytes = Vec::new();
        write_operation(&saved, &mut bytes);
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(read_operation(saved.operation.id, &bytes).is_err());
    }
}

#[test]
fn an_operation_of_one_email_is_small() {
    let mut bytes = Vec::new();
    write_operation(&saved(7, 0), &mut bytes);
    assert!(bytes.len() <= 30, "{} bytes", bytes.len());
}

#[test]
fn counts_of_zero_take_no_bytes() {
    let length = |accepted| {
        let counted = SavedAccount {
            counters: Counters {
                accepted,
                ..Counters::default()
            },
            ..standing(0)
        };
        write_account(&counted).len()
    };
    assert!(length(0) < length(1), "{} bytes", length(0));
}

#[test]
fn what_was_committed_is_there_after_opening_again() {
    let directory = tempfile::tempdir().unwrap();
    // Two levels that do not exist yet, and more operations than are loaded at once.
    let path = directory.path().join("not/yet");
    let store = open(&path);
    assert_eq!((store.notices(), store.is_durable()), (&[][..], true));
    assert_eq!(content(&store), (None, Vec::new()));
    let many = u32::try_from(LOADED_AT_ONCE).unwrap() + 3;
    let kept = (
        Some(standing(1)),
        (0..many).map(|number| saved(number, number)).collect(),
    );
    commit(&store, &kept).unwrap();
    let other = Batch {
        account: "other",
        standing: &standing(9),
        operations: &[],
        groups: &[],
        removed: &[],
        generation: 0,
    };
    store.commit(&other).unwrap();
    drop(store);
    let store = open(&path);
    assert_eq!((store.notices(), others(&path)), (&[][..], Vec::new()));
    assert_eq!(content(&store), kept);
    assert_eq!(
        store.operation(ACCOUNT, kept.1[5].operation.id).unwrap(),
        Some(kept.1[5].clone())
    );
    let elsewhere = store.operation("other", kept.1[5].operation.id);
    assert_eq!(elsewhere.unwrap(), None);
    let found = store
        .load("other", &mut |_| panic!("has no operations"))
        .unwrap();
    assert_eq!(found, Some(standing(9)));
}

#[test]
fn without_a_directory_nothing_is_kept_and_nothing_fails() {
    let store = Store::open(None, now()).unwrap();
    commit(&store, &(Some(standing(1)), vec![saved(1, 1)])).unwrap();
    assert_eq!(content(&store), (None, Vec::new()));
    assert_eq!(
        store.operation(ACCOUNT, saved(1, 1).operation.id).unwrap(),
        None
    );
    assert!(!store.purge(ACCOUNT, now()).unwrap());
    assert!(!store.is_durable());
}

#[test]
fn a_purge_forgets_the_older_ones_in_bounded_steps() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    assert!(
        !store.purge(ACCOUNT, now()).unwrap(),
        "an account never kept"
    );
    let step = u32::try_from(PURGED_AT_ONCE).unwrap();
    let mut late = saved(0, 1);
    late.operation.id = format!("{PREFIX}01h2xcejr0{:016}", 0).parse().unwrap();
    let mut operations: Vec<_> = (0..step + 5).map(|number| saved(number, 1)).collect();
    operations.push(late.clone());
    commit(&store, &(Some(standing(1)), operations)).unwrap();
    let before = late.operation.id.created();
    assert!(store.purge(ACCOUNT, before).unwrap());
    assert!(!store.purge(ACCOUNT, before).unwrap());
    assert_eq!(content(&store), (Some(standing(1)), vec![late]));
    assert_eq!(
        store.operation(ACCOUNT, saved(3, 1).operation.id).unwrap(),
        None
    );
}

#[test]
fn groups_are_kept_until_they_end() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let group = |value, accepted| SavedGroup {
        key: GroupKey::new("campaign", value),
        counters: Counters {
            accepted,
            outcomes: [1, 2, 3, 4, u64::MAX],
        },
        until: now(),
        zero_until: (accepted == 5).then(now),
    };
    let commit = |groups: &[SavedGroup], removed: &[GroupKey]| {
        let batch = Batch {
            account: ACCOUNT,
            standing: &standing(1),
            operations: &[],
            groups,
            removed,
            generation: 0,
        };
        store.commit(&batch).unwrap();
    };
    assert_eq!(store.groups(ACCOUNT).unwrap(), []);
    commit(&[group("spring", 1), group("autumn/\0", 2)], &[]);
    commit(&[group("spring", 5)], &[GroupKey::new("campaign", "never")]);
    let kept = [group("autumn/\0", 2), group("spring", 5)];
    assert_eq!(store.groups(ACCOUNT).unwrap(), kept);
    assert_eq!(store.groups("other").unwrap(), []);
    commit(&[], &[GroupKey::new("campaign", "spring")]);
    drop(store);
    assert_eq!(open(directory.path()).groups(ACCOUNT).unwrap(), kept[..1]);
}

#[test]
fn a_group_of_the_first_version_was_exposed_as_it_is() {
    let key = || GroupKey::new("campaign", "spring");
    let read = read_group(key(), &[1, 2, 9, 1, 2, 3, 4, 5]).unwrap();
    let outcomes = [1, 2, 3, 4, 5];
    let wanted = SavedGroup {
        key: key(),
        counters: Counters {
            accepted: 9,
            outcomes,
        },
        until: Timestamp::from_millis(1),
        zero_until: None,
    };
    assert_eq!(read, wanted);
    assert!(
        read_group(key(), &[2, 2, 9, 1, 2, 3, 4, 5]).is_err(),
        "a new one says until when"
    );
    assert!(read_group(key(), &[3, 2, 9, 1, 2, 3, 4, 5]).is_err());
}

#[test]
fn what_was_registered_is_kept_until_it_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let [first, second] = [1, 2].map(|number| saved(number, 0).operation.id);
    let labels = Labels::new([("campaign".to_owned(), "spring".to_owned())].into());
    let both = [
        (first, Some(Labels::default())),
        (second, Some(labels.clone())),
    ];
    store.register(ACCOUNT, &both).unwrap();
    drop(store);
    let store = open(directory.path());
    let registered = [(first, Labels::default()), (second, labels.clone())];
    assert_eq!(store.registered(ACCOUNT).unwrap(), registered.into());
    assert!(store.registered("other").unwrap().is_empty());
    store.register(ACCOUNT, &[(first, None)]).unwrap();
    assert_eq!(
        store.registered(ACCOUNT).unwrap(),
        [(second, labels)].into()
    );
}

/// An operation as the first version wrote it, whose state and stat have spaces in their names.
#[test]
fn words_that_an_earlier_version_kept_are_read_and_not_shown() {
    let id: OperationId = format!("{PREFIX}01h2xcejqtf2nbrexx3vqjhp41")
        .parse()
        .unwrap();
    let text = |out: &mut Vec<u8>, text: &str| {
        out.push(u8::try_from(text.len()).unwrap());
        out.extend(text.as_bytes());
    };
    // Version 1; a state as a word, and unknown stats; three times; no emails.
    let record = |state: &str, stat: &str| {
        let mut bytes = vec![1, 4 | 1 << 7];
        text(&mut bytes, state);
        bytes.extend([0, 0, 0, 0, 1]);
        text(&mut bytes, stat);
        bytes.extend([7, 0]);
        bytes
    };
    let read = read_operation(id, &record("on hold", "soft bounced")).unwrap();
    assert_eq!(read.operation.state.as_str(), Word::UNREADABLE);
    let unreadable = Word::new(Word::UNREADABLE);
    assert_eq!(read.operation.stats.unknown(), [(unreadable, 7)]);
    let read = read_operation(id, &record("on-hold", "soft")).unwrap();
    assert_eq!(read.operation.state.as_str(), "on-hold");
    for damaged in ["on hold\n", "a@b c", ""] {
        assert!(
            read_operation(id, &record(damaged, "soft")).is_err(),
            "{damaged:?}"
        );
    }
}
