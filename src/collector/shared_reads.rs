//! Single reads of operations. Collections and probes that want the same operation at the same time share one request.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use parking_lot::Mutex;

use super::settings::AccountSettings;
use crate::operation::{Operation, OperationId};
use crate::twilio::ApiError;

type Read = BoxFuture<'static, Result<Operation, ApiError>>;

/// The reads in flight. One that nobody waits for any more is cancelled.
#[derive(Debug, Default)]
pub(super) struct SharedReads {
    in_flight: Mutex<HashMap<OperationId, WeakShared<Read>>>,
}

impl SharedReads {
    /// Reads `id`, or joins a read of it that is in flight.
    pub(super) async fn read(
        &self,
        settings: &Arc<AccountSettings>,
        id: OperationId,
    ) -> Result<Operation, ApiError> {
        let result = self.begin(settings, id).await;
        let mut in_flight = self.in_flight.lock();
        // Unless somebody has begun a new one already.
        let is_done =
            |read: &WeakShared<Read>| read.upgrade().is_none_or(|read| read.peek().is_some());
        if in_flight.get(&id).is_some_and(is_done) {
            in_flight.remove(&id);
        }
        result
    }

    fn begin(&self, settings: &Arc<AccountSettings>, id: OperationId) -> Shared<Read> {
        let mut in_flight = self.in_flight.lock();
        let joined = in_flight.get(&id).and_then(WeakShared::upgrade);
        if let Some(read) = joined.filter(|read| read.peek().is_none()) {
            return read;
        }
        let settings = Arc::clone(settings);
        let read = async move { settings.client.operation(id).await }
            .boxed()
            .shared();
        if let Some(weak) = read.downgrade() {
            in_flight.insert(id, weak);
        }
        read
    }
}
