//! Reads operations one by one, as many at once as the account allows, and knows when to stop.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use futures_util::StreamExt;

use crate::operation::{Operation, OperationId};
use crate::twilio::{ApiError, Client};

/// So many reads in a row without an answer mean that nobody is there, not that one operation is slow.
const MOST_SILENCES: u32 = 5;

/// When to stop asking: at once when the account is turned away, after some silences in a row.
#[derive(Debug, Default)]
struct Breaker {
    silences: AtomicU32,
    open: AtomicBool,
}

impl Breaker {
    fn note(&self, result: &Result<Operation, ApiError>) {
        match result {
            Err(ApiError::Timeout(_) | ApiError::Connect(_) | ApiError::Tls(_)) => {
                if self.silences.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_SILENCES {
                    self.trip();
                }
            }
            Err(error) if error.concerns_account() => self.trip(),
            _ => self.silences.store(0, Ordering::Relaxed),
        }
    }

    fn trip(&self) {
        self.open.store(true, Ordering::Relaxed);
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }
}

/// Reads `ids` in their order and hands each result to `absorb` as it comes. Returns whether all were asked for.
///
/// The first one goes alone: where the account is turned away, that is the one request it costs.
pub(super) async fn each(
    client: &Client,
    ids: &[OperationId],
    at_once: usize,
    absorb: impl Fn(OperationId, Result<Operation, ApiError>),
) -> bool {
    let breaker = Breaker::default();
    let read = async |id: OperationId| {
        if !breaker.is_open() {
            let result = client.operation(id).await;
            breaker.note(&result);
            absorb(id, result);
        }
    };
    let (first, rest) = ids.split_at(ids.len().min(1));
    for id in first {
        read(*id).await;
    }
    futures_util::stream::iter(rest)
        .for_each_concurrent(at_once, |id| read(*id))
        .await;
    !breaker.is_open()
}
