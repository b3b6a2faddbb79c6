//! Saves an account's emails, one commit at a time. After the store has lost its file, it saves all of them again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex as Lock;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::collector::account_store::{CommitPermit, error_chain};
use crate::delivery::{Deliveries, EmailChanges};
use crate::exposition::StateInstruments;
use crate::ongoing_failure::OngoingFailure;
use crate::store::{Store, StoreError};
use crate::timestamp::Timestamp;

/// The result of a commit.
pub(super) enum Committed {
    /// The changes are on the disk. Hold the permit until they are noted as saved.
    Saved(EmailChanges, CommitPermit),
    /// The store has begun a new file: all emails must be saved again.
    Lost,
    /// It failed; the next run tries again.
    Failed,
}

/// The store, as the emails of one account see it.
#[derive(Debug)]
pub(super) struct EmailStore {
    account: Arc<str>,
    /// The name under which the age of unsaved emails is kept, because operations are saved separately.
    key: Arc<str>,
    store: Arc<Store>,
    instruments: StateInstruments,
    /// Held by the current save. A later save must not overtake it, or the store would have less than was exposed.
    committing: Arc<Mutex<()>>,
    /// The generation of the store in which all emails were last saved.
    generation: AtomicU64,
    failing: Lock<OngoingFailure<String>>,
}

impl EmailStore {
    pub(super) fn new(account: Arc<str>, store: Arc<Store>, instruments: StateInstruments) -> Self {
        Self {
            // No account has a name with a control character.
            key: Arc::from(format!("{account}\nemails")),
            account,
            generation: AtomicU64::new(store.generation()),
            store,
            instruments,
            committing: Arc::default(),
            failing: Lock::new(OngoingFailure::new()),
        }
    }

    /// Fills `empty` with the saved state, on a thread that may wait for the disk. `None` if the store cannot be read now.
    pub(super) async fn load(&self, mut empty: Deliveries) -> Option<Deliveries> {
        // A commit of an earlier configuration may be running.
        let committing = Arc::clone(&self.committing).lock_owned().await;
        if !self.store.was_opened() {
            return None;
        }
        self.generation
            .store(self.store.generation(), Ordering::Relaxed);
        let (store, account) = (Arc::clone(&self.store), Arc::clone(&self.account));
        let load = move || {
            let _committing = committing;
            let saved = store.load_emails(&account, &mut |email| empty.restore_email(&email))?;
            if let Some((standing, names)) = saved {
                empty.restore(&standing, &names);
                empty.restored();
            }
            Ok::<_, StoreError>(empty)
        };
        match spawn_blocking(load).await {
            Ok(Ok(loaded)) => Some(loaded),
            Ok(Err(error)) => {
                self.failed(&error);
                None
            }
            Err(_) => None,
        }
    }

    /// Saves the changes that `take` returns, if any. It continues if the caller stops waiting.
    pub(super) async fn commit(
        &self,
        take: impl FnOnce() -> Option<EmailChanges>,
        now: Timestamp,
    ) -> Option<Committed> {
        let permit = Arc::clone(&self.committing).lock_owned().await;
        let changes = take()?;
        self.instruments.save_begins(&self.key, Instant::now());
        let (store, account) = (Arc::clone(&self.store), Arc::clone(&self.account));
        let generation = self.generation.load(Ordering::Relaxed);
        let commit = move || {
            let saved = store.commit_emails(&changes.batch(&account, generation));
            saved.map(|()| (changes, permit))
        };
        Some(match spawn_blocking(commit).await {
            Ok(Ok((changes, permit))) => {
                self.instruments.saved(&self.key, now);
                if self.failing.lock().recovered() {
                    tracing::info!(account = %self.account, "counters of emails are saved again");
                }
                Committed::Saved(changes, permit)
            }
            Ok(Err(StoreError::Vanished { .. })) => {
                let current = self.store.generation();
                self.generation.store(current, Ordering::Relaxed);
                let lost = self.store.files_lost();
                self.instruments.files_lost(lost, now);
                Committed::Lost
            }
            Ok(Err(error)) => {
                self.failed(&error);
                self.instruments.save_failed();
                Committed::Failed
            }
            // The exporter is stopping, or a bug made the store panic.
            Err(_) => Committed::Failed,
        })
    }

    /// Deletes emails created before `before`. A failure only costs disk space.
    pub(super) async fn purge(&self, before: Timestamp) {
        let (store, account) = (Arc::clone(&self.store), Arc::clone(&self.account));
        let purge = move || while let Ok(true) = store.purge_emails(&account, before) {};
        // A panic of the store is reported by its next commit.
        let _ = spawn_blocking(purge).await;
    }

    /// Notes that the emails are not saved any more, because the collector is off.
    pub(super) fn stop(&self) {
        self.instruments.forget_account(&self.key);
    }

    fn failed(&self, error: &StoreError) {
        let error = error_chain(error);
        let is_new = self.failing.lock().failed(error.clone(), Instant::now());
        if is_new {
            tracing::error!(account = %self.account, error, "emails cannot be saved or loaded; their counters keep their last saved values");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::EmailLimits;
    use crate::email::Providers;
    use crate::exposition::{Build, Instruments};

    const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);

    #[tokio::test]
    async fn a_save_waits_until_the_previous_one_is_noted() {
        let build = Build {
            version: "0",
            revision: "0",
        };
        let instruments = Instruments::new(build).unwrap().state();
        let store = Arc::new(Store::open(None, NOW).unwrap());
        let emails = EmailStore::new(Arc::from("default"), store, instruments);
        let limits = EmailLimits {
            max_emails: 10,
            max_recipient_domains: 10,
            max_sender_domains: 10,
        };
        let deliveries = Deliveries::new(Arc::new(Providers::built_in()), &limits);
        let take = || Some(deliveries.changes());
        let Some(Committed::Saved(_, permit)) = emails.commit(take, NOW).await else {
            panic!("not saved");
        };
        let early = emails.committing.try_lock();
        assert!(early.is_err(), "overtook a save that is not noted");
        drop(permit);
        let next = emails.commit(take, NOW).await;
        assert!(matches!(next, Some(Committed::Saved(..))));
    }
}
