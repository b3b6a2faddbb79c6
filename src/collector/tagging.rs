//! The tags of emails as labels of their operations: one request for each operation, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;

use super::account::AccountCollector;
use super::settings::Settings;
use crate::operation::OperationId;

/// A collection asks for the tags of as many operations as the account may make requests in this time: figures are what a
/// scrape waits for, labels may come with the next.
const WORTH_OF_REQUESTS: f64 = 2.0;

impl AccountCollector {
    /// Asks for tags that are wanted and not known, the newest operations first, until Twilio turns one down.
    pub(super) async fn read_tags(&self, settings: &Settings) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and a larger one saturates"
        )]
        let most = (settings.limits.requests_per_second * WORTH_OF_REQUESTS) as usize;
        let ids = {
            let state = self.lock();
            if !state.tagging.is_due(self.clock.now()) {
                return;
            }
            state.registry.untagged(most.max(1))
        };
        let turned_down = AtomicBool::new(false);
        let ask = |id| {
            let turned_down = &turned_down;
            async move {
                if !turned_down.load(Ordering::Relaxed) && !self.read_tag(settings, id).await {
                    turned_down.store(true, Ordering::Relaxed);
                }
            }
        };
        // One alone at first: if the account may not list emails, that is what it costs.
        let mut ids = ids.into_iter();
        if let Some(first) = ids.next() {
            ask(first).await;
        }
        futures_util::stream::iter(ids)
            .for_each_concurrent(settings.limits.concurrent_requests, ask)
            .await;
    }

    /// Says whether there is any sense in asking on.
    async fn read_tag(&self, settings: &Settings, id: OperationId) -> bool {
        let read = settings.client.tags(id).await;
        let mut state = self.lock();
        match read {
            Ok(tags) => {
                if state.tagging.up() == Some(false) {
                    tracing::info!(account = %self.name, "tags can be read again");
                }
                state.tagging.answered();
                state.registry.tagged(id, tags.map(Arc::new).as_ref());
                true
            }
            Err(error) => {
                if let Some(reason) = error.reason()
                    && state.tagging.up() != Some(false)
                {
                    tracing::warn!(account = %self.name, reason = reason.as_str(), %error, "tags cannot be read");
                }
                state.tagging.failed(&error, self.clock.now());
                false
            }
        }
    }
}
