//! The handle by which a test controls a running simulator: its operations, faults, credentials, and the requests that it received.
//! A test needs no other access to the simulator's state.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::operation::OperationId;
use crate::timestamp::Timestamp;

use super::fault::Fault;
use super::journal::{Counts, RecordedRequest, SentPage};
use super::scripted_email::ScriptedEmail;
use super::service::SimulatorState;
use super::settings::BasicLogin;

/// Controls a running simulator and returns the requests that it received. Clones control the same simulator.
#[derive(Clone)]
pub struct Handle {
    pub(super) shared: Arc<SimulatorState>,
}

/// An operation that is returned exactly as written. For other JSON use a [`Value`].
#[derive(Debug, Clone, PartialEq)]
pub struct Scripted {
    /// Its id.
    pub id: OperationId,
    /// `status`, sent unchanged.
    pub status: String,
    /// `stats`, sent unchanged.
    pub stats: Value,
    /// `createdAt`, sent unchanged.
    pub created_at: String,
    /// `updatedAt`, sent unchanged.
    pub updated_at: String,
}

impl Scripted {
    /// A completed operation with these stats, created at the time in its id.
    #[must_use]
    pub fn completed(id: OperationId, stats: Value) -> Self {
        Self {
            id,
            status: "COMPLETED".to_owned(),
            stats,
            created_at: id.created().to_string(),
            updated_at: id.created().to_string(),
        }
    }
}

impl From<Scripted> for Value {
    fn from(scripted: Scripted) -> Self {
        json!({
            "id": scripted.id.to_string(),
            "status": scripted.status,
            "stats": scripted.stats,
            "createdAt": scripted.created_at,
            "updatedAt": scripted.updated_at,
        })
    }
}

impl Handle {
    /// Adds an operation, or replaces the one with the same `id`. It is sent unchanged.
    ///
    /// Its position in lists follows `createdAt`, otherwise its id, otherwise the current time.
    pub fn put(&self, operation: impl Into<Value>) {
        self.shared.world.put(operation.into(), self.shared.now());
    }

    /// Replaces the emails of an operation that is or will be [put](Self::put). Without this, they follow its stats.
    pub fn put_emails(&self, operation: OperationId, emails: Vec<ScriptedEmail>) {
        let world = &self.shared.world;
        world.put_emails(operation.to_string(), emails);
    }

    /// Removes an operation: added by a test, sent, or generated. Returns whether it existed.
    #[expect(clippy::must_use_candidate, reason = "most callers need no result")]
    pub fn remove(&self, id: &str) -> bool {
        self.shared.world.remove(id, self.shared.now())
    }

    /// Removes all operations that were added or sent, and restores generated ones that were removed.
    pub fn clear(&self) {
        self.shared.world.clear();
    }

    /// Adds a fault after the current ones.
    pub fn fault(&self, fault: Fault) {
        self.shared.faults().push(fault);
    }

    /// The current faults.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.shared.faults().clone()
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.shared.faults().clear();
    }

    /// Accepts only these logins by Basic authentication from now on.
    pub fn set_logins(&self, logins: Vec<BasicLogin>) {
        self.shared.access().logins = logins;
    }

    /// Accepts only these Bearer tokens from now on, beside issued ones.
    pub fn set_tokens(&self, tokens: Vec<String>) {
        self.shared.access().tokens = tokens;
    }

    /// Issues tokens only to these OAuth clients from now on. Issued tokens stay valid.
    pub fn set_clients(&self, clients: Vec<BasicLogin>) {
        self.shared.access().clients = clients;
    }

    /// Sets the lifetime of tokens that are issued from now on.
    pub fn set_token_life(&self, life: Duration) {
        self.shared.access().token_life = life;
    }

    /// Revokes all issued tokens.
    pub fn revoke_tokens(&self) {
        self.shared.access().revoke();
    }

    /// The number of requests since the start or the last reset.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.journal.counts()
    }

    /// The last thousand requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.journal.requests()
    }

    /// Records the pages of emails that are sent whole from now on, for [`Self::take_pages`].
    pub fn record_pages(&self) {
        self.shared.journal.record_pages();
    }

    /// The pages of emails that were sent whole since the last call, oldest first. At most the last thousand are kept.
    #[must_use]
    pub fn take_pages(&self) -> Vec<SentPage> {
        self.shared.journal.take_pages()
    }

    /// Resets the counts and the recorded requests.
    pub fn reset_requests(&self) {
        self.shared.journal.reset();
    }

    /// The simulator's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.now()
    }
}
