//! An account's registry as it was when the exporter last ran.

use std::sync::Arc;

use super::keeper::Keeper;
use crate::config::{Account, Series};
use crate::exposition::StateInstruments;
use crate::registry::{Listed, Registry, Source};
use crate::store::{Store, StoreError};
use crate::timestamp::Timestamp;

/// So many saved operations are held at once on their way into the registry.
const AT_ONCE: usize = 10_000;

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
    let name = Arc::clone(&account.name);
    let mut registry = Registry::new(Arc::clone(&name), series, account.stats_reading, now);
    let mut waiting = Vec::new();
    let known = store.load(&name, &mut |operation| {
        waiting.push(operation);
        if waiting.len() == AT_ONCE {
            registry.restore_operations(waiting.drain(..), now);
        }
    })?;
    registry.restore_operations(waiting, now);
    let keeper = Keeper::new(Arc::clone(&name), Arc::clone(store), instruments.clone());
    if let Some(known) = known {
        registry.restore(&known, store.groups(&name)?);
        watch(account, &mut registry, store.registered(&name)?, now);
        return Ok((registry, keeper));
    }
    watch(account, &mut registry, store.registered(&name)?, now);
    let standing = registry.unsaved();
    match keeper.commit(&standing) {
        Ok(()) => {
            instruments.saved(&name, now);
            registry.saved(&standing);
        }
        Err(error) => {
            // Until it can be saved, emails are not counted.
            keeper.save_failed(&error);
        }
    }
    Ok((registry, keeper))
}

/// Takes in what users want watched, as far as that is known without asking anybody.
fn watch(account: &Account, registry: &mut Registry, registered: Listed, now: Timestamp) {
    registry.list(Source::Configuration, account.operations.clone(), now);
    registry.list(Source::Api, registered, now);
}
