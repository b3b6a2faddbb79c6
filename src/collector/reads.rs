//! Reads of single operations: those who want the same one at the same time share one request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::time::Instant;

use super::account::AccountCollector;
use super::settings::Settings;
use crate::operation::{Operation, OperationId};
use crate::registry::View;
use crate::snapshot::{Labels, ShownOperation};
use crate::twilio::ApiError;

type Reading = BoxFuture<'static, Result<Operation, ApiError>>;

/// The reads under way. One that nobody waits for any more is given up.
#[derive(Debug, Default)]
pub(super) struct Reads(Mutex<HashMap<OperationId, WeakShared<Reading>>>);

impl Reads {
    /// Reads `id`, or joins whoever reads it now.
    pub(super) async fn read(
        &self,
        settings: &Arc<Settings>,
        id: OperationId,
    ) -> Result<Operation, ApiError> {
        let result = self.begin(settings, id).await;
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Unless somebody has begun a new one already.
        let is_over =
            |read: &WeakShared<Reading>| read.upgrade().is_none_or(|read| read.peek().is_some());
        if under_way.get(&id).is_some_and(is_over) {
            under_way.remove(&id);
        }
        result
    }

    fn begin(&self, settings: &Arc<Settings>, id: OperationId) -> Shared<Reading> {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let joined = under_way.get(&id).and_then(WeakShared::upgrade);
        if let Some(read) = joined.filter(|read| read.peek().is_none()) {
            return read;
        }
        let settings = Arc::clone(settings);
        let read = async move { settings.client.operation(id).await }
            .boxed()
            .shared();
        if let Some(weak) = read.downgrade() {
            under_way.insert(id, weak);
        }
        read
    }
}

/// How a probe went.
#[derive(Debug, Clone)]
pub struct Probed {
    /// The operation as it is known now; after a failure, as it was last seen, if ever.
    pub operation: ShownOperation,
    /// Why it could not be read; `None`: it was. A probe whose time was over before Twilio answered says so.
    pub error: Option<ApiError>,
    /// How long it took.
    pub took: Duration,
    /// Where it was asked for.
    pub url: String,
}

impl AccountCollector {
    /// Reads one operation now, for at most `budget`. What is learnt of an operation that is watched or was found counts for
    /// collections, too; any other is only told.
    pub(super) async fn probe(&self, id: OperationId, budget: Duration) -> Probed {
        let (began, since) = (Instant::now(), self.clock.now());
        let settings = self.settings();
        let read = self.reads.read(&settings, id);
        let read = tokio::time::timeout(budget, read).await;
        let read = read.unwrap_or(Err(ApiError::Timeout(budget)));
        let known = self.take_in(id, &read, since).await;
        let error = read.as_ref().err().cloned();
        let stranger = || ShownOperation {
            id,
            up: Some(read.is_ok()),
            last_success: read.is_ok().then(|| self.clock.now()),
            seen: read.ok(),
            labels: Labels::default(),
        };
        Probed {
            operation: known.map_or_else(stranger, |view| ShownOperation {
                up: Some(error.is_none()),
                ..view.shown
            }),
            error,
            took: began.elapsed(),
            url: settings.client.operation_url(id).to_string(),
        }
    }

    /// Takes in what a probe read of an operation that is known, and saves that before it is told.
    async fn take_in(
        &self,
        id: OperationId,
        read: &Result<Operation, ApiError>,
        since: crate::timestamp::Timestamp,
    ) -> Option<View> {
        self.view(id)?;
        match read {
            Ok(operation) => {
                self.absorb(vec![operation.clone()], since).await;
            }
            Err(error) => {
                self.read_failed(id, error);
            }
        }
        self.save_patiently().await;
        self.view(id)
    }
}
