//! Concurrent requests share one token: one of them fetches it, and its result is for all.

use std::path::PathBuf;

use futures_util::future::join_all;
use twilio_email_exporter::app::build;
use twilio_email_exporter::config::{Config, Overrides};
use twilio_email_exporter::exposition::Instruments;
use twilio_email_exporter::reason::Reason;
use twilio_email_exporter::simulator::ApiSettings;
use twilio_email_exporter::twilio::{ApiError, Client};

use super::*;

/// A client, as in a collection, with an operation to read.
struct Many {
    clock: Clock,
    twilio: Twilio,
    client: Client,
    id: OperationId,
    secrets: Secrets,
}

impl Many {
    async fn new() -> Self {
        let settings = ApiSettings {
            clients: vec![BasicLogin::new(CLIENT, SECRET)],
            ..ApiSettings::default()
        };
        let clock = morning();
        let twilio = Twilio::start(settings, clock.clone()).await;
        let id = twilio.put(Duration::from_hours(1), json!({"total": 1}));
        let secrets = Secrets::new();
        let secret = secrets.write("client", SECRET);
        let more = "max_concurrent_requests: 100";
        let account = oauth_account("a", &twilio.base_url(), &token_url(&twilio), &secret, more);
        let file = secrets.write("config.yml", &format!("accounts:\n{account}"));
        let client = client(file, clock.clone());
        Self {
            clock,
            twilio,
            client,
            id,
            secrets,
        }
    }

    /// Reads the operation by 50 concurrent requests.
    async fn read(&self) -> Vec<Result<(), ApiError>> {
        let reads = (0..50).map(|_| async { self.client.operation(self.id).await.map(drop) });
        join_all(reads).await
    }
}

/// The client of the only account in a configuration file.
fn client(file: PathBuf, clock: Clock) -> Client {
    let overrides = Overrides {
        config_file: Some(file),
        ..Overrides::default()
    };
    let config = Config::load(&overrides, &|_| None).unwrap();
    let instruments = Instruments::new(build()).unwrap();
    let account = &config.accounts[0];
    Client::new(account, instruments.account(&account.name), clock).unwrap()
}

#[tokio::test]
async fn concurrent_requests_fetch_one_token() {
    let many = Many::new().await;
    many.twilio.fault("token=slow:100ms");
    assert_eq!(many.read().await, vec![Ok(()); 50]);
    let counts = many.twilio.handle.counts();
    assert_eq!((counts.token, counts.operation), (1, 50));
    // And one for all requests whose token was revoked.
    many.twilio.handle.revoke_tokens();
    many.twilio.handle.reset_requests();
    many.client.begin().await;
    assert_eq!(many.read().await, vec![Ok(()); 50]);
    let counts = many.twilio.handle.counts();
    assert_eq!((counts.token, counts.operation), (1, 100));
}

#[tokio::test]
async fn a_failing_token_is_requested_once_per_collection() {
    let many = Many::new().await;
    many.twilio.fault("token=slow:50ms");
    many.twilio.fault("token=500");
    for collections in 1..=3 {
        many.client.begin().await;
        // Requests after the failure do not try again.
        for _ in 0..3 {
            for read in many.read().await {
                let error = read.unwrap_err();
                assert_eq!(error.reason(), Some(Reason::ServerError), "{error}");
                let words = "There is no access token. Twilio returns a server error (500).";
                assert!(error.to_string().starts_with(words), "{error}");
            }
        }
        let counts = many.twilio.handle.counts();
        assert_eq!((counts.token, counts.operation), (collections, 0));
    }
}

#[tokio::test]
async fn requests_outside_of_a_collection_retry_a_failed_token_later() {
    let many = Many::new().await;
    many.twilio.fault("token=500");
    many.client.begin().await;
    for seconds in 0..60 {
        assert!(many.client.operation(many.id).await.is_err());
        let wanted = 1 + seconds / 15;
        assert_eq!(many.twilio.handle.counts().token, wanted, "{seconds}");
        pass(&many.clock, Duration::from_secs(1));
    }
    many.twilio.handle.clear_faults();
    assert!(many.client.operation(many.id).await.is_ok());
}

#[tokio::test]
async fn a_new_token_that_is_rejected_is_not_fetched_again_by_each_request() {
    let many = Many::new().await;
    many.twilio.fault("operation=401");
    for (tokens, wait) in [(1, 60), (2, 120), (3, 240)] {
        for _ in 0..3 {
            many.client.begin().await;
            for read in many.read().await {
                // Requests after the first rejection are not made.
                let error = read.unwrap_err();
                assert_eq!(error.reason(), Some(Reason::Unauthorized), "{error}");
            }
            assert_eq!(many.twilio.handle.counts().token, tokens);
        }
        let retry_at = many.clock.now() + Duration::from_secs(wait);
        assert_eq!(many.client.next_login_at(), Some(retry_at));
        many.clock.set(retry_at);
        assert_eq!(many.client.next_login_at(), None);
    }
}

#[tokio::test]
async fn a_client_secret_that_changes_during_a_collection_is_read() {
    let many = Many::new().await;
    let other = BasicLogin::new(CLIENT, "another-secret");
    many.twilio.handle.set_clients(vec![other]);
    many.client.begin().await;
    many.secrets.write("client", "another-secret");
    assert_eq!(many.read().await, vec![Ok(()); 50]);
    let counts = many.twilio.handle.counts();
    assert_eq!((counts.token, counts.operation), (2, 50));
}

#[tokio::test]
async fn a_secret_that_changes_during_a_collection_is_read_after_the_first_rejection() {
    let secrets = Secrets::new();
    let settings = ApiSettings {
        logins: vec![BasicLogin::new(crate::support::exporter::SID, "first")],
        ..ApiSettings::default()
    };
    let twilio = Twilio::start(settings, Clock::System).await;
    let id = twilio.put(Duration::from_hours(1), json!({"total": 1}));
    secrets.write("token", "first");
    let account = crate::support::exporter::one_account(&twilio, "");
    let client = client(secrets.write("config.yml", &account), Clock::System);
    client.begin().await;
    assert!(client.operation(id).await.is_ok());
    let other = BasicLogin::new(crate::support::exporter::SID, "second");
    twilio.handle.set_logins(vec![other]);
    let refused = client.operation(id).await.unwrap_err();
    assert_eq!(refused, ApiError::Unauthorized, "the file holds no other");
    secrets.write("token", "second");
    twilio.handle.reset_requests();
    assert!(client.operation(id).await.is_ok());
    assert_eq!(twilio.handle.counts().total, 2, "refused, and once more");
    assert!(client.operation(id).await.is_ok());
    assert_eq!(twilio.handle.counts().total, 3);
}
