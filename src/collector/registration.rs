//! Operations that are registered and forgotten while the exporter runs; what is said to be kept is on the disk.

use std::sync::Arc;

use super::account::AccountCollector;
use crate::operation::OperationId;
use crate::registry::{Page, Source, View};
use crate::snapshot::{Labels, ListedOperations};
use crate::store::StoreError;

/// So many operations may be registered for an account; each is kept in memory with its labels.
pub const MOST_REGISTERED: usize = 1_000_000;

/// What became of an operation that was to be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// It is watched from now on.
    New,
    /// It was registered before, with other labels.
    Changed,
    /// It was registered before, with the same labels.
    Same,
    /// It is older than Twilio keeps operations; it is not watched.
    Over,
    /// As many are registered as may be; it is not watched.
    TooMany,
}

/// What became of an operation that was to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// Whether it had been registered.
    pub was_registered: bool,
    /// Who wants it watched all the same.
    pub still: Vec<Source>,
}

impl AccountCollector {
    /// Registers operations, each with its labels; when this returns `Ok`, they are on the disk. What came later counts.
    ///
    /// It is carried out even if nobody waits for it any more: memory and disk must not differ.
    pub(super) async fn register(
        self: &Arc<Self>,
        operations: Vec<(OperationId, Labels)>,
    ) -> Result<Vec<Registered>, StoreError> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = this.registering.lock().await;
            let (became, kept) = this.judge(&operations);
            this.keep(&kept).await?;
            let mut state = this.lock();
            for (id, labels) in kept {
                state.registry.set(&Source::Api, id, labels);
            }
            Ok(became)
        });
        task.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// Forgets that an operation was registered; on the disk, too, when this returns `Ok`.
    pub(super) async fn forget(self: &Arc<Self>, id: OperationId) -> Result<Forgotten, StoreError> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = this.registering.lock().await;
            let was_registered = this
                .lock()
                .registry
                .presenter()
                .listed_by(&Source::Api, id)
                .is_some();
            if was_registered {
                this.keep(&[(id, None)]).await?;
            }
            let mut state = this.lock();
            state.registry.set(&Source::Api, id, None);
            this.settle(&mut state);
            let still = state
                .registry
                .presenter()
                .view(id)
                .map_or(Vec::new(), |view| view.sources);
            Ok(Forgotten {
                was_registered,
                still,
            })
        });
        task.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// Takes in everything that a source lists now.
    pub(super) fn hear(&self, source: Source, listed: ListedOperations) {
        let mut state = self.lock();
        state.unheard.remove(&source);
        state.in_question.remove(&source);
        state.registry.list(source, listed, self.clock.now());
        self.settle(&mut state);
    }

    /// Everything known of one operation.
    pub(super) fn view(&self, id: OperationId) -> Option<View> {
        let mut state = self.lock();
        self.expire(&mut state, self.clock.now());
        state.registry.presenter().view(id)
    }

    /// At most `most` operations behind `after` that are `wanted`, in the order of their ids.
    pub(super) fn views(
        &self,
        after: Option<OperationId>,
        most: usize,
        wanted: &dyn Fn(&View) -> bool,
    ) -> Page {
        let mut state = self.lock();
        self.expire(&mut state, self.clock.now());
        state.registry.presenter().views(after, most, wanted)
    }

    /// What becomes of operations that are to be registered, and what of them is to be kept.
    fn judge(
        &self,
        operations: &[(OperationId, Labels)],
    ) -> (Vec<Registered>, Vec<(OperationId, Option<Labels>)>) {
        let now = self.clock.now();
        let state = self.lock();
        let mut room =
            MOST_REGISTERED.saturating_sub(state.registry.presenter().size_of(&Source::Api));
        let mut kept = ListedOperations::new();
        let judge = |(id, labels): &(OperationId, Labels)| {
            if state.registry.is_expired(*id, now) {
                return Registered::Over;
            }
            let before = kept
                .get(id)
                .or_else(|| state.registry.presenter().listed_by(&Source::Api, *id));
            let became = match before {
                Some(before) if before == labels => return Registered::Same,
                Some(_) => Registered::Changed,
                None if room == 0 => return Registered::TooMany,
                None => Registered::New,
            };
            room -= usize::from(became == Registered::New);
            kept.insert(*id, Arc::clone(labels));
            became
        };
        let became = operations.iter().map(judge).collect();
        let kept = kept.into_iter().map(|(id, labels)| (id, Some(labels)));
        (became, kept.collect())
    }

    async fn keep(&self, operations: &[(OperationId, Option<Labels>)]) -> Result<(), StoreError> {
        if operations.is_empty() {
            return Ok(());
        }
        self.keeper.register(operations.to_vec()).await
    }
}
