//! Reads of single operations and of their emails. Collections and probes that need the same operation at the same time share one read.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use parking_lot::Mutex;

use super::settings::AccountSettings;
use crate::operation::{Operation, OperationId};
use crate::twilio::ApiError;

/// Boxed, so that a future that waits for it is small.
type Read<T> = BoxFuture<'static, T>;

/// Reads of operations.
pub(super) type OperationReads = SharedReads<Result<Operation, ApiError>>;

/// The reads in flight, each with a `T` as its result. A read without a caller that waits for it is cancelled.
pub(super) struct SharedReads<T: Clone> {
    in_flight: Mutex<HashMap<OperationId, WeakShared<Read<T>>>>,
}

impl OperationReads {
    /// Reads `id`, or joins a read of it that is in flight.
    pub(super) async fn operation(
        &self,
        settings: &Arc<AccountSettings>,
        id: OperationId,
    ) -> Result<Operation, ApiError> {
        let settings = Arc::clone(settings);
        let read = async move { settings.client.operation(id).await };
        self.read(id, read.boxed()).await
    }
}

impl<T: Clone + Send + Sync + 'static> SharedReads<T> {
    /// Joins a read for `id` that is in flight; without one, begins `read`.
    pub(super) async fn read(&self, id: OperationId, read: Read<T>) -> T {
        let result = self.begin(id, read).await;
        let mut in_flight = self.in_flight.lock();
        // Unless another caller has begun a new one already.
        let is_done =
            |read: &WeakShared<Read<T>>| read.upgrade().is_none_or(|read| read.peek().is_some());
        if in_flight.get(&id).is_some_and(is_done) {
            in_flight.remove(&id);
        }
        result
    }

    fn begin(&self, id: OperationId, read: Read<T>) -> Shared<Read<T>> {
        let mut in_flight = self.in_flight.lock();
        let joined = in_flight.get(&id).and_then(WeakShared::upgrade);
        if let Some(joined) = joined.filter(|joined| joined.peek().is_none()) {
            return joined;
        }
        let read = read.shared();
        if let Some(weak) = read.downgrade() {
            in_flight.insert(id, weak);
        }
        read
    }
}

impl<T: Clone> Default for SharedReads<T> {
    fn default() -> Self {
        Self {
            in_flight: Mutex::default(),
        }
    }
}

impl<T: Clone> fmt::Debug for SharedReads<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_flight = self.in_flight.lock().len();
        write!(f, "SharedReads({in_flight})")
    }
}
