//! What a test holds in its hand while the simulator serves.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::operation::OperationId;
use crate::timestamp::Timestamp;

use super::fault::Fault;
use super::journal::{Counts, RecordedRequest};
use super::service::SimulatorState;
use super::settings::BasicLogin;

/// Changes a running simulator and tells what it was asked. Clones are the same handle.
#[derive(Clone)]
pub struct Handle {
    pub(super) shared: Arc<SimulatorState>,
}

/// An operation that is shown exactly so. Anything stranger is put as a [`Value`].
#[derive(Debug, Clone, PartialEq)]
pub struct Scripted {
    /// Its id.
    pub id: OperationId,
    /// The word, as it is sent.
    pub status: String,
    /// The figures, as they are sent.
    pub stats: Value,
    /// `createdAt`, as it is sent.
    pub created_at: String,
    /// `updatedAt`, as it is sent.
    pub updated_at: String,
}

impl Scripted {
    /// A completed operation with these figures, created when its id says.
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
    /// Adds an operation, or replaces the one of the same `id`; it is sent exactly as it is given.
    ///
    /// It takes its place in lists by `createdAt`, else by its id, else as created now.
    pub fn put(&self, operation: impl Into<Value>) {
        self.shared.world.put(operation.into(), self.shared.now());
    }

    /// Forgets an operation, be it put, sent or generated; tells whether there was one.
    #[expect(clippy::must_use_candidate, reason = "most callers only want it gone")]
    pub fn remove(&self, id: &str) -> bool {
        self.shared.world.remove(id, self.shared.now())
    }

    /// Forgets all operations that were put or sent, and brings back generated ones that were removed.
    pub fn clear(&self) {
        self.shared.world.clear();
    }

    /// Lets something go wrong from now on, after the faults that are already there.
    pub fn fault(&self, fault: Fault) {
        self.shared.faults().push(fault);
    }

    /// The faults that have not worn off.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.shared.faults().clone()
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.shared.faults().clear();
    }

    /// From now on lets in only these, by Basic authentication.
    pub fn set_logins(&self, logins: Vec<BasicLogin>) {
        self.shared.access().logins = logins;
    }

    /// From now on accepts only these as Bearer tokens.
    pub fn set_tokens(&self, tokens: Vec<String>) {
        self.shared.access().tokens = tokens;
    }

    /// From now on gives tokens only to these OAuth clients; those that were given stay good.
    pub fn set_clients(&self, clients: Vec<BasicLogin>) {
        self.shared.access().clients = clients;
    }

    /// Tokens are good for so long, from the next one on.
    pub fn set_token_life(&self, life: Duration) {
        self.shared.access().token_life = life;
    }

    /// The tokens that clients were given are good for nothing from now on.
    pub fn revoke_tokens(&self) {
        self.shared.access().revoke();
    }

    /// How many requests there were since the start or the last reset.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.journal.counts()
    }

    /// The last thousand requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.journal.seen()
    }

    /// Starts counting anew.
    pub fn reset_requests(&self) {
        self.shared.journal.reset();
    }

    /// The simulator's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.now()
    }
}
