//! An account's registry as it was when the exporter last ran.

use std::sync::Arc;

use super::keeper::Keeper;
use crate::config::{Account, Series};
use crate::exposition::StateInstruments;
use crate::operation::CountingMode;
use crate::registry::{Registry, Source};
use crate::store::{Store, StoreError};
use crate::timestamp::Timestamp;

/// So many saved operations are held at once on their way into the registry.
const AT_ONCE: usize = 10_000;

/// An account's registry as far as the store holds it.
pub(super) struct Restored {
    pub(super) registry: Registry,
    /// Whether the store knows the account.
    pub(super) is_known: bool,
}

/// Reads the registry of the account `name` from `store`, with the operations that the HTTP API registered.
pub(super) fn registry(
    name: &Arc<str>,
    series: &Series,
    counting_mode: Option<CountingMode>,
    store: &Store,
    now: Timestamp,
) -> Result<Restored, StoreError> {
    let mut registry = Registry::new(Arc::clone(name), series, counting_mode, now);
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
    registry.list(Source::Api, store.registered(name)?, now);
    Ok(Restored {
        registry,
        is_known: known.is_some(),
    })
}

/// The registry of `account` with everything that `store` has of it, and who saves it from now on.
///
/// An account that the store does not know begins to count with the first collection that reads anything; that it has not yet is
/// saved at once.
pub(super) fn account(
    account: &Account,
    series: &Series,
    store: &Arc<Store>,
    instruments: &StateInstruments,
    now: Timestamp,
) -> Result<(Registry, Keeper), StoreError> {
    let name = &account.name;
    let Restored {
        mut registry,
        is_known,
    } = self::registry(name, series, account.stats_reading, store, now)?;
    registry.list(Source::Configuration, account.operations.clone(), now);
    let keeper = Keeper::new(Arc::clone(name), Arc::clone(store), instruments.clone());
    if is_known {
        return Ok((registry, keeper));
    }
    let standing = registry.unsaved();
    match keeper.commit(&standing) {
        Ok(()) => {
            instruments.saved(name, now);
            registry.saved(&standing);
        }
        Err(error) => {
            // Until it can be saved, emails are not counted.
            keeper.save_failed(&error);
        }
    }
    Ok((registry, keeper))
}
