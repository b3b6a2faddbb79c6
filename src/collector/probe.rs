//! Reads one operation on demand, as the target of a multi-target scrape. The registry ingests the operation if it is known.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::failure_log::FailureLog;
use super::ledger::Ledger;
use super::settings::AccountSettings;
use super::shared_reads::OperationReads;
use crate::operation::{Operation, OperationId};
use crate::registry::View;
use crate::snapshot::{Labels, ShownOperation};
use crate::timestamp::Timestamp;
use crate::twilio::ApiError;

/// The result of a probe.
#[derive(Debug, Clone)]
pub struct Probed {
    /// The operation's current values; after a failure, those of the last read, if there was one.
    pub operation: ShownOperation,
    /// Why it could not be read; `None` if it was. [`ApiError::Timeout`] if Twilio did not respond in time.
    pub error: Option<ApiError>,
    /// How long the probe took.
    pub took: Duration,
    /// The URL that was requested.
    pub url: String,
}

/// Reads `id` now, within `budget`. An operation that is watched or was discovered is ingested; any other is only returned.
pub(super) async fn probe(
    ledger: &Arc<Ledger>,
    reads: &OperationReads,
    log: &FailureLog,
    settings: &Arc<AccountSettings>,
    id: OperationId,
    budget: Duration,
) -> Probed {
    let (began, since) = (Instant::now(), ledger.now());
    let deadline = began + budget;
    let read = timeout_at(deadline, reads.operation(settings, id)).await;
    let mut read = read.unwrap_or(Err(ApiError::Timeout(budget)));
    let ingested = ingest(ledger, log, settings, id, &mut read, since);
    // A disk that hangs does not delay a probe beyond its deadline.
    let known = match timeout_at(deadline, ingested).await {
        Ok(known) => known,
        Err(_) => ledger.view(id),
    };
    let error = read.as_ref().err().cloned();
    let unknown = || ShownOperation {
        id,
        up: Some(read.is_ok()),
        last_success: read.is_ok().then(|| ledger.now()),
        seen: read.ok(),
        scheduled_for: None,
        emails_mismatch: None,
        labels: Labels::default(),
    };
    Probed {
        operation: known.map_or_else(unknown, |view| ShownOperation {
            up: Some(error.is_none()),
            ..view.shown
        }),
        error,
        took: began.elapsed(),
        url: settings.client.shown_operation_url(id),
    }
}

/// Ingests and saves what a probe read of a known operation. A response that turns out to be unusable makes `read` an error.
async fn ingest(
    ledger: &Arc<Ledger>,
    log: &FailureLog,
    settings: &AccountSettings,
    id: OperationId,
    read: &mut Result<Operation, ApiError>,
    since: Timestamp,
) -> Option<View> {
    ledger.view(id)?;
    if let Ok(operation) = &read {
        let operations = vec![operation.clone()];
        let observed = ledger.ingest(operations, since, &settings.client).await;
        if observed.unread > 0 {
            *read = Err(settings.client.unreadable_state());
        }
    }
    if let Err(error) = &read
        && ledger.read_failed(id, error)
    {
        log.read_failed(id, error);
    }
    ledger.save().await;
    ledger.view(id)
}
