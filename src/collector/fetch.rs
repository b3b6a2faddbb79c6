//! Reads operations one by one, as many at once as the account allows, and knows when to stop.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use futures_util::StreamExt;

use crate::operation::{Operation, OperationId};
use crate::twilio::ApiError;

/// So many reads in a row without an answer mean that nobody is there, not that one operation is slow.
const MOST_SILENCES: u32 = 5;

/// When to stop asking: at once when the account is turned away, after some silences in a row.
#[derive(Debug)]
struct Breaker {
    /// Whether Twilio has let the account in; an operation that is forbidden then is one of somebody else's.
    let_in: AtomicBool,
    silences: AtomicU32,
    open: AtomicBool,
}

impl Breaker {
    fn note(&self, result: &Result<Operation, ApiError>) {
        match result {
            Err(
                ApiError::Timeout(_)
                | ApiError::Connect(_)
                | ApiError::Tls(_)
                | ApiError::Protocol(_),
            ) => {
                if self.silences.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_SILENCES {
                    self.trip();
                }
            }
            Err(ApiError::Forbidden | ApiError::Unexpected { .. })
                if self.let_in.load(Ordering::Relaxed) => {}
            Err(error) if error.concerns_account() => self.trip(),
            Ok(_) => self.answered(true),
            Err(error) => self.answered(error.is_about_resource()),
        }
    }

    fn answered(&self, let_in: bool) {
        self.silences.store(0, Ordering::Relaxed);
        self.let_in.fetch_or(let_in, Ordering::Relaxed);
    }

    fn trip(&self) {
        self.open.store(true, Ordering::Relaxed);
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }
}

/// Lets `read` read `ids` in their order and hands each result to `absorb` as it comes. Returns whether all were asked for.
///
/// Unless Twilio has `let_in` the account just now, the first one goes alone: where the account is turned away, that is
/// the one request it costs.
pub(super) async fn each<Read, Absorbed>(
    ids: &[OperationId],
    at_once: usize,
    let_in: bool,
    read: impl Fn(OperationId) -> Read,
    absorb: impl Fn(OperationId, Result<Operation, ApiError>) -> Absorbed,
) -> bool
where
    Read: Future<Output = Result<Operation, ApiError>>,
    Absorbed: Future<Output = ()>,
{
    let breaker = Breaker {
        let_in: AtomicBool::new(let_in),
        silences: AtomicU32::new(0),
        open: AtomicBool::new(false),
    };
    let (breaker, read, absorb) = (&breaker, &read, &absorb);
    let take = move |id: OperationId| async move {
        if !breaker.is_open() {
            let result = read(id).await;
            breaker.note(&result);
            absorb(id, result).await;
        }
    };
    let (first, rest) = ids.split_at(usize::from(!let_in && !ids.is_empty()));
    for id in first {
        take(*id).await;
    }
    futures_util::stream::iter(rest.to_vec())
        .for_each_concurrent(at_once, take)
        .await;
    !breaker.is_open()
}
