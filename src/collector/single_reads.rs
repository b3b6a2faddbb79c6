//! Reads operations one by one, as many at once as the account allows. It stops when the account is blocked or Twilio does not
//! respond.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use futures_util::StreamExt;
use tokio::sync::mpsc;

use crate::operation::{Operation, OperationId};
use crate::twilio::ApiError;

/// This many reads in a row without a response mean that Twilio is unreachable, not that one operation is slow.
const MOST_SILENCES: u32 = 5;

/// Opens immediately when the account is blocked, and after some reads in a row without a response.
#[derive(Debug)]
struct Breaker {
    /// Whether Twilio accepted the credentials; then a forbidden operation belongs to another account.
    is_accepted: AtomicBool,
    silences: AtomicU32,
    open: AtomicBool,
}

impl Breaker {
    fn note(&self, result: &Result<Operation, ApiError>) {
        match result {
            Err(error) if error.is_silence() => {
                if self.silences.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_SILENCES {
                    self.trip();
                }
            }
            Err(ApiError::Forbidden | ApiError::Unexpected { .. })
                if self.is_accepted.load(Ordering::Relaxed) => {}
            Err(error) if error.concerns_account() => self.trip(),
            Ok(_) => self.answered(true),
            Err(error) => self.answered(error.is_about_resource()),
        }
    }

    fn answered(&self, is_accepted: bool) {
        self.silences.store(0, Ordering::Relaxed);
        self.is_accepted.fetch_or(is_accepted, Ordering::Relaxed);
    }

    fn trip(&self) {
        self.open.store(true, Ordering::Relaxed);
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }
}

/// Reads `ids` in their order with `read`, and passes each result to `apply`. Returns whether all were read; false if the
/// account became blocked.
///
/// Unless the credentials were accepted just now (`is_accepted`), the first read goes alone: a blocked account costs one request. Results
/// are applied one by one meanwhile, so that no request waits for them.
pub(super) async fn read_until_blocked<Read, Applied>(
    ids: &[OperationId],
    at_once: usize,
    is_accepted: bool,
    read: impl Fn(OperationId) -> Read,
    apply: impl Fn(OperationId, Result<Operation, ApiError>) -> Applied,
) -> bool
where
    Read: Future<Output = Result<Operation, ApiError>>,
    Applied: Future<Output = ()>,
{
    let breaker = Breaker {
        is_accepted: AtomicBool::new(is_accepted),
        silences: AtomicU32::new(0),
        open: AtomicBool::new(false),
    };
    let (breaker, read) = (&breaker, &read);
    let (results, mut to_apply) = mpsc::channel(at_once.max(1));
    let reads = async move {
        let results = &results;
        let take = move |id: OperationId| async move {
            if !breaker.is_open() {
                let result = read(id).await;
                breaker.note(&result);
                // The receiver lives as long as this.
                let _ = results.send((id, result)).await;
            }
        };
        let (first, rest) = ids.split_at(usize::from(!is_accepted && !ids.is_empty()));
        for id in first {
            take(*id).await;
        }
        futures_util::stream::iter(rest.to_vec())
            .for_each_concurrent(at_once, take)
            .await;
    };
    let applied = async {
        while let Some((id, result)) = to_apply.recv().await {
            apply(id, result).await;
        }
    };
    tokio::join!(reads, applied);
    !breaker.is_open()
}
