//! One account: its requests to Twilio, and its sources of operations. Both run at the same time, within a limit for the whole
//! account.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::emails::EmailLists;
use super::requests::Requests;
use super::result::{Area, CheckResult, Section};
use super::settings::Settings;
use super::sources;
use crate::config::Account;
use crate::diagnosis::RequestFailure;
use crate::twilio::Client;

/// The longest time for the requests of one account. Each has its own timeout; five slow ones could take longer.
const LONGEST: Duration = Duration::from_mins(1);
/// The lowest rate of a check, which makes few requests per account: at one request a minute, nobody would wait for the result.
const LEAST_RATE: f64 = 10.0;

/// The section about `account`.
pub(super) async fn check(
    account: &Account,
    emails: EmailLists,
    settings: &Settings<'_>,
) -> Section {
    let (mut results, sources) = tokio::join!(
        requests(account, emails, settings),
        sources::check(account, settings)
    );
    results.extend(sources);
    Section {
        area: Area::Account(Arc::clone(&account.name)),
        results,
    }
}

async fn requests(
    account: &Account,
    emails: EmailLists,
    settings: &Settings<'_>,
) -> Vec<CheckResult> {
    if settings.offline {
        return vec![CheckResult::skipped(
            "requests",
            "With --offline, the exporter makes no requests to Twilio",
        )];
    }
    let mut adjusted = account.clone();
    let rate = &mut adjusted.limits.requests_per_second;
    *rate = rate.max(LEAST_RATE);
    let instruments = settings.instruments.account(&account.name);
    let client = match Client::new(&adjusted, instruments, settings.clock.clone()) {
        Ok(client) => client,
        Err(error) => return vec![CheckResult::failed("connection", error)],
    };
    let mut requests = Requests::new(&client, account, emails, &settings.clock);
    if timeout(LONGEST, requests.make()).await.is_err() {
        requests.broke_off(RequestFailure::Timeout(LONGEST));
    }
    requests.results()
}
