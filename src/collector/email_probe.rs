//! Reads the emails of one operation on demand, for a probe. Nothing is ingested; probes of the same operation share one read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::settings::AccountSettings;
use super::shared_reads::SharedReads;
use crate::delivery::{OperationEmails, ProviderEmails};
use crate::email::{Domain, Email, ProviderId, Providers};
use crate::mx::MxProviders;
use crate::operation::OperationId;
use crate::twilio::{ApiError, Client, ListFilter, PAGE_SIZE, Rows};

/// A send has at most 10,000 recipients. The rest leaves room for larger sends in the future.
const MOST_EMAILS: usize = 100_000;
/// The page size after a page was too large: rows may have bodies of a megabyte.
const SMALL_PAGE: usize = 50;

/// Lists of one account that are read at the same time. A page of emails may have 56 MiB.
const READ_AT_ONCE: usize = 2;
/// The budget of a read that several probes may share. Each probe ends at its own deadline, and the read ends with the last of them.
const SHARED_BUDGET: Duration = Duration::from_hours(1);
/// How long a read waits for lookups of mail exchangers. A name server answers within a second, and a probe has five or more.
const LOOKUP_BUDGET: Duration = Duration::from_secs(2);

/// The reads of emails of one account.
#[derive(Debug)]
pub(super) struct EmailReads {
    shared: SharedReads<Arc<ProbedEmails>>,
    permits: Arc<Semaphore>,
}

/// The emails of one operation.
#[derive(Debug, Clone)]
pub struct ProbedEmails {
    /// The emails that were read.
    pub emails: OperationEmails,
    /// Why not all could be read; `None` if they were. [`ApiError::Timeout`] if Twilio did not respond in time.
    pub error: Option<ApiError>,
    /// Rows of other operations, which were left out: Twilio ignored the filter, so more emails may exist.
    pub foreign_rows: usize,
    /// Rows that could not be used. Each may be an email of the operation.
    pub unusable_rows: usize,
    /// How long the read took.
    pub took: Duration,
    /// The URL that was requested first.
    pub url: String,
    providers: Arc<Providers>,
}

/// How the provider of a recipient is found: by the table, otherwise by the domain's mail exchangers.
#[derive(Debug, Clone)]
struct Recipients {
    providers: Arc<Providers>,
    exchangers: Option<Arc<MxProviders>>,
}

impl Default for EmailReads {
    fn default() -> Self {
        Self {
            shared: SharedReads::default(),
            permits: Arc::new(Semaphore::new(READ_AT_ONCE)),
        }
    }
}

impl EmailReads {
    /// Reads the emails of `id` now, within `budget`, or joins a read of them that is in flight.
    pub(super) async fn probe(
        &self,
        settings: &Arc<AccountSettings>,
        id: OperationId,
        budget: Duration,
    ) -> Arc<ProbedEmails> {
        let began = Instant::now();
        let read = {
            let (settings, permits) = (Arc::clone(settings), Arc::clone(&self.permits));
            async move {
                // It is never closed.
                let _permit = permits.acquire().await;
                let recipients = Recipients {
                    providers: Arc::clone(&settings.providers),
                    exchangers: settings.exchangers.clone(),
                };
                Arc::new(probe(&settings.client, &recipients, id, SHARED_BUDGET).await)
            }
            .boxed()
        };
        let read = timeout_at(began + budget, self.shared.read(id, read)).await;
        read.unwrap_or_else(|_| {
            Arc::new(ProbedEmails {
                error: Some(ApiError::Timeout(budget)),
                took: began.elapsed(),
                ..ProbedEmails::none(&settings.client, &settings.providers, id)
            })
        })
    }
}

impl Recipients {
    /// Waits until the providers of all recipients are known, at the latest until `deadline`.
    async fn look_up(&self, emails: &[Email], deadline: Instant) {
        let Some(exchangers) = &self.exchangers else {
            return;
        };
        let domains = emails.iter().filter_map(|email| email.recipient.as_ref());
        let unknown = domains.filter(|domain| self.providers.of(Some(domain)) == ProviderId::OTHER);
        let unknown: Vec<&Domain> = unknown.collect();
        exchangers.look_up_until(&unknown, deadline).await;
    }

    fn provider_of(&self, domain: Option<&Domain>) -> ProviderId {
        match (self.providers.of(domain), &self.exchangers, domain) {
            (ProviderId::OTHER, Some(exchangers), Some(domain)) => exchangers.provider_of(domain),
            (provider, _, _) => provider,
        }
    }
}

impl ProbedEmails {
    /// The empty result before the first page.
    fn none(client: &Client, providers: &Arc<Providers>, id: OperationId) -> Self {
        Self {
            emails: OperationEmails::default(),
            error: None,
            foreign_rows: 0,
            unusable_rows: 0,
            took: Duration::ZERO,
            url: client.shown_emails_url(&filter(id)),
            providers: Arc::clone(providers),
        }
    }

    /// Whether these are all emails of the operation that Twilio's list has.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.error.is_none() && self.foreign_rows == 0 && self.unusable_rows == 0
    }

    /// The emails by the name of their mailbox provider.
    #[must_use]
    pub fn by_provider(&self) -> BTreeMap<Box<str>, ProviderEmails> {
        self.emails.by_provider(&self.providers)
    }
}

/// Selects the rows of one operation.
fn filter(id: OperationId) -> ListFilter {
    ListFilter {
        operation: Some(id),
        ..ListFilter::default()
    }
}

/// Reads the emails of `id` now, within `budget`. Nothing is ingested.
async fn probe(
    client: &Client,
    recipients: &Recipients,
    id: OperationId,
    budget: Duration,
) -> ProbedEmails {
    let began = Instant::now();
    let mut probed = ProbedEmails::none(client, &recipients.providers, id);
    let mut read = Ok(());
    for size in [PAGE_SIZE, SMALL_PAGE] {
        let reading = read_all(client, recipients, id, size, &mut probed);
        let finished = timeout_at(began + budget, reading).await;
        read = finished.unwrap_or(Err(ApiError::Timeout(budget)));
        if !read.as_ref().is_err_and(is_too_large) {
            break;
        }
    }
    ProbedEmails {
        error: read.err(),
        took: began.elapsed(),
        ..probed
    }
}

/// Reads the whole list with this page size.
async fn read_all(
    client: &Client,
    recipients: &Recipients,
    id: OperationId,
    size: usize,
    probed: &mut ProbedEmails,
) -> Result<(), ApiError> {
    let lookups_end = Instant::now() + LOOKUP_BUDGET;
    let mut list = client.emails(filter(id)).with_page_size(size);
    loop {
        let page = list.page().await;
        probed.foreign_rows = list.foreign_rows();
        probed.unusable_rows = list.unusable_rows();
        let Some(page) = page? else {
            return Ok(());
        };
        let before = probed.emails.len();
        recipients.look_up(&page, lookups_end).await;
        for email in &page {
            let provider = recipients.provider_of(email.recipient.as_ref());
            probed.emails.add(email, provider);
        }
        list.note_rows(match probed.emails.len() - before {
            _ if page.is_empty() => Rows::None,
            0 => Rows::Repeated,
            _ => Rows::New,
        });
        if probed.emails.len() > MOST_EMAILS {
            return Err(ApiError::TooManyRows { limit: MOST_EMAILS });
        }
    }
}

/// Whether a page of fewer rows may succeed.
pub(super) fn is_too_large(error: &ApiError) -> bool {
    match error {
        ApiError::TooLarge { .. } => true,
        ApiError::BrokenList { cause, .. } => is_too_large(cause),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::net::TcpListener;

    use super::*;
    use crate::clock::Clock;
    use crate::config::{Config, Overrides};
    use crate::email::EmailStatus;
    use crate::exposition::{Build, Instruments};
    use crate::simulator::{Handle, Scripted, Simulator, SimulatorSettings, operation_id};

    const LONG: Duration = Duration::from_mins(1);

    /// A simulated account and a client of it.
    async fn account(settings: SimulatorSettings) -> (Client, Handle) {
        let clock = Clock::System;
        let simulator = Simulator::new(settings, move || Clock::System.now());
        let handle = simulator.handle();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { simulator.serve(listener, std::future::pending()).await });
        let variable = |name: &str| match name {
            "TWILIO_ACCOUNT_SID" => Some("AC0123456789abcdef0123456789abcdef".into()),
            "TWILIO_AUTH_TOKEN" => Some("made-up-token-of-a-test".into()),
            _ => None,
        };
        let overrides = Overrides {
            base_url: Some(format!("http://{address}/v1")),
            ..Overrides::default()
        };
        let config = Config::load(&overrides, &variable).unwrap();
        let build = Build {
            version: "1",
            revision: "a",
        };
        let account = &config.accounts[0];
        let instruments = Instruments::new(build).unwrap().account(&account.name);
        (Client::new(account, instruments, clock).unwrap(), handle)
    }

    fn put(handle: &Handle, random: u128, stats: serde_json::Value) -> OperationId {
        let id = operation_id(handle.now() - Duration::from_hours(1), random);
        handle.put(Scripted::completed(id, stats));
        id
    }

    async fn read(client: &Client, id: OperationId, budget: Duration) -> ProbedEmails {
        let recipients = Recipients {
            providers: Arc::new(Providers::built_in()),
            exchangers: None,
        };
        probe(client, &recipients, id, budget).await
    }

    #[tokio::test]
    async fn the_emails_of_one_operation_are_counted_by_status_and_provider() {
        let (client, handle) = account(SimulatorSettings::empty()).await;
        let stats = json!({"total": 2010, "delivered": 1500, "opened": 500, "failed": 10});
        let id = put(&handle, 1, stats);
        put(&handle, 2, json!({"total": 3, "sent": 3}));
        let probed = read(&client, id, LONG).await;
        assert_eq!(probed.error, None);
        assert_eq!((probed.foreign_rows, probed.unusable_rows), (0, 0));
        assert_eq!(probed.emails.len(), 2010);
        let statuses = probed.emails.statuses();
        let at = |status: EmailStatus| statuses[status as usize];
        let expected = [
            EmailStatus::Delivered,
            EmailStatus::Opened,
            EmailStatus::Failed,
        ]
        .map(at);
        assert_eq!(expected, [1500, 500, 10]);
        let by_provider = probed.emails.by_provider(&Providers::built_in());
        let other = &by_provider["other"];
        assert_eq!((other.times.count(), other.unobserved), (1500, 500));
        assert_eq!(other.statuses, statuses);
        assert_eq!(handle.counts().total, 3, "three pages");
    }

    #[tokio::test]
    async fn an_operation_without_emails_has_none() {
        let (client, handle) = account(SimulatorSettings::empty()).await;
        let id = operation_id(handle.now(), 9);
        let probed = read(&client, id, LONG).await;
        assert!(probed.error.is_none() && probed.emails.is_empty());
    }

    #[tokio::test]
    async fn emails_of_other_operations_are_left_out_and_reported() {
        let (client, handle) = account(SimulatorSettings::empty()).await;
        let id = put(&handle, 1, json!({"total": 3, "sent": 3}));
        put(&handle, 2, json!({"total": 4, "failed": 4}));
        handle.fault("emails=ignore-operation".parse().unwrap());
        let probed = read(&client, id, LONG).await;
        assert_eq!((probed.emails.len(), probed.foreign_rows), (3, 4));
        assert_eq!(probed.emails.statuses()[EmailStatus::Failed as usize], 0);
    }

    #[tokio::test]
    async fn a_failure_keeps_the_emails_of_earlier_pages() {
        let (client, handle) = account(SimulatorSettings::empty()).await;
        let id = put(&handle, 1, json!({"total": 1500, "sent": 1500}));
        handle.fault("emails:page=2=500".parse().unwrap());
        let probed = read(&client, id, LONG).await;
        assert_eq!(probed.emails.len(), 1000);
        assert!(probed.error.is_some());
        handle.clear_faults();
        handle.fault("emails=hang".parse().unwrap());
        let budget = Duration::from_millis(100);
        let probed = read(&client, id, budget).await;
        assert_eq!(probed.error, Some(ApiError::Timeout(budget)));
    }

    #[tokio::test]
    async fn pages_that_are_too_large_are_requested_again_with_fewer_rows() {
        let (client, handle) = account(SimulatorSettings::empty()).await;
        let id = put(&handle, 1, json!({"total": 160, "delivered": 160}));
        handle.fault("emails=oversized:times=1".parse().unwrap());
        let probed = read(&client, id, LONG).await;
        assert_eq!((probed.error, probed.emails.len()), (None, 160));
        assert_eq!(handle.counts().total, 5, "one of 1,000 rows and four of 50");
    }
}
