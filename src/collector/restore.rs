//! An account's registry as it was when the exporter last ran.

use std::sync::Arc;

use super::keeper::{Keeper, in_full};
use crate::config::{Account, Series};
use crate::exposition::StateInstruments;
use crate::registry::{Registry, SeriesLimit};
use crate::store::{Store, StoreError};
use crate::timestamp::Timestamp;

/// So many saved operations are held at once on their way into the registry.
const AT_ONCE: usize = 10_000;

/// The registry of `account` with everything that `store` has of it, and who saves it from now on.
///
/// An account that the store does not know is born at `now`, and that is saved at once: whatever it counts later is
/// counted from then.
pub(super) fn account(
    account: &Account,
    series: &Series,
    store: &Arc<Store>,
    instruments: &StateInstruments,
    now: Timestamp,
) -> Result<(Registry, Keeper), StoreError> {
    let limit = SeriesLimit {
        operations: series.max_operations,
        min_size: series.min_size,
    };
    let name = Arc::clone(&account.name);
    let configured = series.allowed(&account.operations);
    let mut registry = Registry::new(
        Arc::clone(&name),
        configured,
        limit,
        account.stats_reading,
        now,
    );
    let mut waiting = Vec::new();
    let known = store.load(&name, &mut |operation| {
        waiting.push(operation);
        if waiting.len() == AT_ONCE {
            registry.restore_operations(waiting.drain(..), now);
        }
    })?;
    registry.restore_operations(waiting, now);
    let keeper = Keeper::new(name, Arc::clone(store), instruments.clone());
    if let Some(known) = known {
        registry.restore(&known);
        return Ok((registry, keeper));
    }
    let standing = registry.unsaved();
    match keeper.commit(&standing) {
        Ok(()) => {
            instruments.saved(now);
            registry.saved(&standing);
        }
        Err(error) => {
            instruments.save_failed();
            tracing::error!(account = %account.name, error = in_full(&error), "nothing can be saved, so emails are not counted");
        }
    }
    Ok((registry, keeper))
}
