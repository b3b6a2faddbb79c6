//! Builds an account's registry from the store: at the start, when the store can be opened later, and after a panic. What is only
//! in memory is carried over.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::account_store::{AccountStore, Rules, error_chain};
use crate::config::{Account, Series};
use crate::exposition::StateInstruments;
use crate::label;
use crate::registry::{Registry, Source};
use crate::snapshot::{CollectionStatus, ListedOperations};
use crate::store::{SavedAccount, SavedOperation, Store, StoreError};
use crate::timestamp::Timestamp;

/// The most saved operations that are in memory twice while they are loaded into the registry.
const AT_ONCE: usize = 10_000;

/// An account's registry from the store.
#[derive(Debug)]
pub(super) struct Restored {
    pub(super) registry: Registry,
    /// Whether the store has the account.
    pub(super) is_known: bool,
}

/// Reads the registry of the account `name` from `store`, with the operations that were registered over HTTP. It waits for the
/// disk.
pub(super) fn registry(
    name: &Arc<str>,
    rules: &Rules,
    store: &Store,
    now: Timestamp,
) -> Result<Restored, StoreError> {
    let mut registry = Registry::new(Arc::clone(name), &rules.series, rules.counting_mode, now);
    let mut waiting = Vec::new();
    let known = store.load(name, &mut |operation| {
        waiting.push(operation);
        if waiting.len() == AT_ONCE {
            registry.restore_operations(waiting.drain(..), now);
        }
    })?;
    registry.restore_operations(waiting, now);
    if let Some(known) = &known {
        registry.restore(known, store.groups(name)?);
    }
    registry.list(Source::Api, permitted(name, store.registered(name)?), now);
    registry.catch_up_at_once();
    Ok(Restored {
        registry,
        is_known: known.is_some(),
    })
}

/// The registrations, minus the labels that earlier versions accepted and that are refused now: they would replace the labels of targets
/// and metrics.
fn permitted(account: &str, mut registered: ListedOperations) -> ListedOperations {
    let mut refused = BTreeSet::new();
    let mut operations = 0;
    for labels in registered.values_mut() {
        let is_permitted = |(name, value): (&String, &String)| {
            label::check_name(name).is_ok() && label::check_value(value).is_ok()
        };
        if labels.iter().all(is_permitted) {
            continue;
        }
        operations += 1;
        let (kept, dropped): (BTreeMap<_, _>, BTreeMap<_, _>) = labels
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .partition(|(name, value)| is_permitted((name, value)));
        refused.extend(dropped.into_keys());
        *labels = Arc::new(kept);
    }
    if operations > 0 {
        let labels = refused.into_iter().collect::<Vec<_>>().join(", ");
        tracing::warn!(
            account,
            operations,
            labels,
            "some registered labels are not allowed any more; their operations stay registered without them"
        );
    }
    registered
}

/// The registry of `account` with everything that `store` has of it, and the account's store.
///
/// An account that the store does not have begins to count with the first collection that reads anything. The fact that it has not
/// begun is saved at once.
pub(super) fn account(
    account: &Account,
    series: &Series,
    store: &Arc<Store>,
    instruments: &StateInstruments,
    now: Timestamp,
) -> Result<(Registry, AccountStore), StoreError> {
    let name = &account.name;
    let account_store = AccountStore::new(Arc::clone(name), Arc::clone(store), instruments.clone());
    account_store.set_rules(series, account.stats_reading);
    let Restored {
        mut registry,
        is_known,
    } = self::registry(name, &account_store.rules(), store, now)?;
    registry.list(Source::Configuration, account.operations.clone(), now);
    registry.catch_up_at_once();
    // Nothing can be saved while the store waits to be opened.
    if is_known || account_store.is_waiting() {
        return Ok((registry, account_store));
    }
    let standing = registry.unsaved();
    match account_store.commit(&standing) {
        Ok(()) => {
            instruments.saved(name, now);
            registry.saved(&standing);
        }
        Err(error) => {
            // Until it can be saved, emails are not counted.
            account_store.save_failed(&error, now);
        }
    }
    Ok((registry, account_store))
}

/// Merges the saved state of the account into `registry`, which lacks it because the store could not be opened when the exporter
/// started. Operations that were read meanwhile count their growth above the saved marks.
pub(super) fn merge(registry: &mut Registry, restored: Restored, now: Timestamp) {
    let Restored {
        registry: mut saved,
        is_known,
    } = restored;
    if is_known {
        carry_over(&mut saved, registry, now);
        *registry = saved;
    } else {
        // The store has only its registrations, if anything.
        registry.list(
            Source::Api,
            saved.presenter().all_listed_by(&Source::Api),
            now,
        );
    }
}

/// Copies what is only in memory into a registry from the store: the lists of sources, and reads since the last save. `before` must
/// not be used afterwards.
pub(super) fn carry_over(restored: &mut Registry, before: &mut Registry, now: Timestamp) {
    before.catch_up_at_once();
    for source in before.presenter().sources() {
        // Registrations are in the store.
        if source != Source::Api {
            let listed = before.presenter().all_listed_by(&source);
            restored.list(source, listed, now);
        }
    }
    restored.catch_up_at_once();
    before.lost();
    let mut by_time = BTreeMap::<Timestamp, Vec<SavedOperation>>::new();
    for read in before.unsaved().operations {
        by_time.entry(read.last_success).or_default().push(read);
    }
    for (at, read) in by_time {
        let tagged: Vec<_> = read
            .iter()
            .filter_map(|read| Some((read.operation.id, read.tags.clone()?)))
            .collect();
        let scheduled: Vec<_> = read
            .iter()
            .filter_map(|read| Some((read.operation.id, read.scheduled_for?)))
            .collect();
        let operations = read.into_iter().map(|read| read.operation).collect();
        restored.observe(operations, |_| None, at, at);
        for (id, tags) in tagged {
            restored.tagged(id, Some(&tags));
        }
        for (id, time) in scheduled {
            restored.scheduled_for(id, Some(time));
        }
    }
}

/// Reads the account's saved state, now that the store can be opened, with its generation. Logs a failure.
pub(super) async fn load(store: &AccountStore, now: Timestamp) -> Option<(Restored, u64)> {
    let (name, rules) = (Arc::clone(store.account()), store.rules());
    let restored = store
        .load(move |store| registry(&name, &rules, store, now))
        .await;
    restored
        .inspect_err(|error| {
            tracing::error!(account = %store.account(), error = error_chain(error), "cannot load the saved state");
        })
        .ok()
}

/// Replaces a registry in which something panicked, and which may therefore have lost operations. It waits for the disk.
///
/// What is only in memory is carried over. If reading it panics again, sources report again when they change, and the exporter polls
/// the other operations again.
pub(super) fn replace_damaged(
    store: &AccountStore,
    damaged: &mut Registry,
    now: Timestamp,
) -> Result<(), StoreError> {
    let read = || store.read(|from| registry(store.account(), &store.rules(), from, now));
    let mut restored = read()?.registry;
    let is_durable = store.read(Store::is_durable);
    let carried_over = catch_unwind(AssertUnwindSafe(|| {
        if !is_durable {
            copy_saved(&mut restored, damaged, now);
        }
        carry_over(&mut restored, damaged, now);
        restored
    }));
    *damaged = match carried_over {
        Ok(registry) => registry,
        Err(_) => read()?.registry,
    };
    Ok(())
}

/// Copies what a store would have of `damaged`, if there is none. Its counters may include operations whose records were not
/// changed yet, so the counters that were exposed last are copied: what was ingested since then may not be counted, but nothing
/// of it counts twice.
fn copy_saved(restored: &mut Registry, damaged: &mut Registry, now: Timestamp) {
    let status = CollectionStatus::default();
    let exposed = damaged.presenter().snapshot(status).counters;
    damaged.lost();
    damaged.catch_up_at_once();
    let all = damaged.unsaved();
    restored.restore_operations(all.operations, now);
    let account = SavedAccount {
        counters: exposed.unwrap_or_default(),
        ..all.account
    };
    restored.restore(&account, all.groups);
    let registered = damaged.presenter().all_listed_by(&Source::Api);
    restored.list(Source::Api, registered, now);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::{Build, Instruments};
    use crate::operation::{Operation, OperationId, OperationState, Stats};
    use crate::snapshot::Labels;
    use std::time::Duration;

    fn operation(size: u32) -> Operation {
        let id: OperationId = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41"
            .parse()
            .unwrap();
        let stats = Stats {
            size: Some(size),
            ..Stats::default()
        };
        Operation {
            id,
            state: OperationState::Processing,
            stats,
            created: id.created(),
            updated: None,
        }
    }

    struct Saved {
        _directory: tempfile::TempDir,
        account_store: AccountStore,
        store: Arc<Store>,
        now: Timestamp,
    }

    impl Saved {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let now = operation(0).created + Duration::from_mins(1);
            let store = Arc::new(Store::open(Some(directory.path()), now).unwrap());
            let build = Build {
                version: "0",
                revision: "0",
            };
            let state = Instruments::new(build).unwrap().state();
            let account_store = AccountStore::new(Arc::from("default"), Arc::clone(&store), state);
            Self {
                _directory: directory,
                account_store,
                store,
                now,
            }
        }

        /// The account began to count before the operation was created.
        fn empty(&self) -> Registry {
            let began = self.now - Duration::from_hours(1);
            let account = self.account_store.account();
            let mut registry = Registry::new(Arc::clone(account), &Series::default(), None, began);
            registry.decide_birth(None, began);
            registry.end_first_collection();
            registry
        }

        fn restored(&self) -> Restored {
            let rules = self.account_store.rules();
            registry(self.account_store.account(), &rules, &self.store, self.now).unwrap()
        }
    }

    fn accepted(registry: &Registry) -> u64 {
        registry.unsaved().account.counters.accepted
    }

    #[test]
    fn what_was_read_meanwhile_counts_what_it_has_grown_and_sources_stay() {
        let account = Saved::new();
        let mut saved = account.empty();
        saved.observe(vec![operation(5)], |_| None, account.now, account.now);
        account.account_store.commit(&saved.unsaved()).unwrap();
        let mut registry = account.empty();
        let id = operation(0).id;
        let file = Source::File(Arc::from("a.yml"));
        let listed: ListedOperations = [(id, Labels::default())].into();
        registry.list(file.clone(), listed.clone(), account.now);
        let later = account.now + Duration::from_mins(1);
        registry.observe(vec![operation(7)], |_| None, later, later);
        // The configuration names no tags, but the read is known.
        registry.tagged(id, Some(&Labels::default()));
        registry.scheduled_for(id, Some(later));
        merge(&mut registry, account.restored(), later);
        assert_eq!(accepted(&registry), 7, "5 were counted before, 2 are new");
        assert_eq!(registry.presenter().all_listed_by(&file), listed);
        let [now] = &registry.unsaved().operations[..] else {
            panic!("one has changed");
        };
        assert_eq!((now.marks.accepted, now.last_success), (7, later));
        assert_eq!(now.tags, Some(Labels::default()));
        assert_eq!(now.scheduled_for, Some(later));
    }

    #[test]
    fn an_account_that_the_store_does_not_know_stays_as_it_is() {
        let account = Saved::new();
        let mut registry = account.empty();
        registry.observe(vec![operation(7)], |_| None, account.now, account.now);
        let id = operation(0).id;
        let store = &account.store;
        store
            .register("default", &[(id, Some(Labels::default()))])
            .unwrap();
        merge(&mut registry, account.restored(), account.now);
        assert_eq!(accepted(&registry), 7);
        assert!(
            registry
                .presenter()
                .all_listed_by(&Source::Api)
                .contains_key(&id)
        );
    }

    #[test]
    fn labels_that_are_refused_now_go_and_their_operation_stays() {
        let account = Saved::new();
        let labels = |pairs: &[(&str, &str)]| -> Labels {
            let pairs = pairs
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()));
            Arc::new(pairs.collect())
        };
        let id = operation(0).id;
        let stored = labels(&[
            ("job", "a"),
            ("state", "b"),
            ("__x", "c"),
            ("team", "blue"),
            ("note", "two\nlines"),
        ]);
        account
            .store
            .register("default", &[(id, Some(stored))])
            .unwrap();
        let restored = account.restored().registry;
        let listed = restored.presenter().all_listed_by(&Source::Api);
        assert_eq!(listed, [(id, labels(&[("team", "blue")]))].into());
    }
}
