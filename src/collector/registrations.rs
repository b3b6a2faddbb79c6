//! Operations that are registered and removed by the HTTP API. A change is on the disk before it is confirmed.

use std::sync::Arc;

use super::ledger::Ledger;
use super::source_sync::SourceSync;
use crate::operation::OperationId;
use crate::registry::{Registry, Source};
use crate::snapshot::{Labels, ListedOperations};
use crate::store::StoreError;

/// The most operations that can be registered for one account; each is kept in memory with its labels.
pub const MOST_REGISTERED: usize = 1_000_000;
/// The registrations that are applied before the registry is released: in a large account each may unpack a chunk and pack another one,
/// which takes 0.2 ms.
const APPLIED_AT_ONCE: usize = 64;

/// The result of registering one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// It is watched from now on.
    New,
    /// It was registered before, with other labels.
    Changed,
    /// It was registered before, with the same labels.
    Same,
    /// It has expired; it is not watched.
    Over,
    /// The account has [`MOST_REGISTERED`] registrations; it is not watched.
    TooMany,
}

/// The result of removing one registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unregistered {
    /// Whether it was registered.
    pub was_registered: bool,
    /// The sources that still list it.
    pub still: Vec<Source>,
}

/// Saves and applies the registrations of one account, one change at a time.
#[derive(Debug)]
pub(super) struct Registrations {
    ledger: Arc<Ledger>,
    sources: Arc<SourceSync>,
}

impl Registrations {
    pub(super) fn new(ledger: Arc<Ledger>, sources: Arc<SourceSync>) -> Self {
        Self { ledger, sources }
    }

    /// Registers operations, each with its labels. Of two with one id, the later one counts.
    ///
    /// Finishes even if the caller stops waiting, because memory and disk must not differ.
    pub(super) async fn register(
        self: &Arc<Self>,
        operations: Vec<(OperationId, Labels)>,
    ) -> Result<Vec<Registered>, StoreError> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = this.ledger.registration_turn().await;
            let (results, changes) = this.classify(&operations);
            this.ledger.save_registrations(&changes).await?;
            let mut changes = changes.into_iter();
            let apply_some = |registry: &mut Registry| {
                for (id, labels) in changes.by_ref().take(APPLIED_AT_ONCE) {
                    registry.set(&Source::Api, id, labels);
                }
                changes.len() > 0
            };
            this.ledger.in_slices(apply_some).await;
            Ok(results)
        });
        task.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// Removes a registration.
    pub(super) async fn remove(
        self: &Arc<Self>,
        id: OperationId,
    ) -> Result<Unregistered, StoreError> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = this.ledger.registration_turn().await;
            let was_registered = this
                .ledger
                .lock()
                .presenter()
                .listed_by(&Source::Api, id)
                .is_some();
            if was_registered {
                this.ledger.save_registrations(&[(id, None)]).await?;
            }
            this.ledger.lock().set(&Source::Api, id, None);
            this.sources.drop_unlisted();
            let still = this
                .ledger
                .lock()
                .presenter()
                .view(id)
                .map(|view| view.sources);
            Ok(Unregistered {
                was_registered,
                still: still.unwrap_or_default(),
            })
        });
        task.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// The result of each registration, and the changes to save.
    fn classify(
        &self,
        operations: &[(OperationId, Labels)],
    ) -> (Vec<Registered>, Vec<(OperationId, Option<Labels>)>) {
        let now = self.ledger.now();
        let registry = self.ledger.lock();
        let mut room = MOST_REGISTERED.saturating_sub(registry.presenter().size_of(&Source::Api));
        let mut changes = ListedOperations::new();
        let classify = |(id, labels): &(OperationId, Labels)| {
            if registry.is_expired(*id, now) {
                return Registered::Over;
            }
            let before = changes
                .get(id)
                .or_else(|| registry.presenter().listed_by(&Source::Api, *id));
            let result = match before {
                Some(before) if before == labels => return Registered::Same,
                Some(_) => Registered::Changed,
                None if room == 0 => return Registered::TooMany,
                None => Registered::New,
            };
            room -= usize::from(result == Registered::New);
            changes.insert(*id, Arc::clone(labels));
            result
        };
        let results = operations.iter().map(classify).collect();
        let changes = changes.into_iter().map(|(id, labels)| (id, Some(labels)));
        (results, changes.collect())
    }
}
