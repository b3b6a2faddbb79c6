//! The API client of one account: requests operations, lists and tags. It keeps the account's limits, and counts requests and
//! failures.

use std::time::Duration;

use hyper::header::{ACCEPT, HeaderValue};
use tokio::task::spawn_blocking;
use url::Url;

use super::authenticator::{Authenticator, Authorization};
use super::body;
use super::error::ApiError;
use super::first_email;
use super::list_filter::ListFilter;
use super::requester::Requester;
use super::resource::Resource;
use super::throttle::Server;
use super::transport::{self, TransportError};
use super::wire::{self, ListPage};
use crate::clock::Clock;
use crate::clock_skew::ClockSkew;
use crate::config::{self, Credentials};
use crate::diagnosis::Login;
use crate::email::{Email, FirstEmail};
use crate::exposition::{AccountInstruments, Endpoint};
use crate::http::{HttpClient, Request};
use crate::operation::{Operation, OperationId, RETENTION, Unexpected};
use crate::timestamp::Timestamp;

/// Operations per page: the maximum that Twilio returns.
pub const PAGE_SIZE: usize = 1000;
/// A page with more rows is no response to a request for [`PAGE_SIZE`] rows.
pub(super) const MOST_ROWS: usize = 2 * PAGE_SIZE;
/// A larger response, in bytes, is parsed on a blocking thread. A full page of operations has about 300 KB and takes a few milliseconds.
const LARGE: usize = 512 * 1024;
/// A 404 in the last hour of the retention means that Twilio's clock is ahead of this machine's.
const EXPIRY: Duration = RETENTION.saturating_sub(Duration::from_hours(1));

/// The API client of one account. Many tasks can use it; the throttle enforces the account's limits.
#[derive(Debug)]
pub struct Client {
    http: HttpClient,
    base: Url,
    authenticator: Authenticator,
    requester: Requester,
    clock: Clock,
}

impl Client {
    /// A client for `account`. It makes no request yet.
    ///
    /// # Errors
    /// When the machine offers no TLS certificates.
    pub fn new(
        account: &config::Account,
        instruments: AccountInstruments,
        clock: Clock,
    ) -> Result<Self, TransportError> {
        if matches!(account.credentials, Credentials::Client(_)) {
            instruments.expect(Endpoint::Token);
        }
        Ok(Self {
            http: transport::client(&account.base_url, &account.network)?,
            base: account.base_url.clone(),
            authenticator: Authenticator::new(account, clock.clone())?,
            requester: Requester::new(&account.limits, instruments, clock.clone()),
            clock,
        })
    }

    /// A client for the new configuration `account` that continues the pauses and the rate limit of this one.
    ///
    /// # Errors
    /// When the machine offers no TLS certificates.
    pub fn followed_by(
        &self,
        account: &config::Account,
        instruments: AccountInstruments,
        clock: Clock,
    ) -> Result<Self, TransportError> {
        let mut next = Self::new(account, instruments, clock)?;
        next.requester.follow(&self.requester);
        // A rejection by one server does not apply to another one.
        if next.base == self.base
            && next.authenticator.token_url() == self.authenticator.token_url()
        {
            next.requester.follow_logins(&self.requester);
        }
        Ok(next)
    }

    /// To be called when a collection begins: reads secrets from files again, and allows a new request for a token after a failed one.
    pub async fn begin(&self) {
        self.requester.begin_collection();
        self.authenticator.begin().await;
    }

    /// Reads one operation: `GET /Emails/Operations/{id}`
    /// (<https://www.twilio.com/docs/email/api/email-operation-resource>).
    pub async fn operation(&self, id: OperationId) -> Result<Operation, ApiError> {
        let url = self.operation_url(id);
        let expired = self.clock.now() >= id.created() + EXPIRY;
        // Unexpected values count even if the response cannot be used.
        let read = move |outcome: Result<&[u8], ApiError>| match outcome {
            Ok(body) => {
                let mut unexpected = Unexpected::default();
                let read = wire::operation(body, &mut unexpected);
                let read = read.and_then(|read| match read {
                    operation if operation.id == id => Ok(operation),
                    _ => Err(ApiError::InvalidResponse(
                        "an operation with another id than requested",
                    )),
                });
                Ok((read, unexpected))
            }
            Err(ApiError::NotFound { status }) if expired => Err(ApiError::Expired { status }),
            Err(error) => Err(error),
        };
        let (read, unexpected) = self
            .get(Endpoint::Operation, url, body::LIMIT, read)
            .await?;
        self.requester.note_unexpected(unexpected);
        read.inspect_err(|error| self.note_failure(Endpoint::Operation, error))
    }

    /// Reads an operation's first email, if it has one yet: `GET /Emails`
    /// (<https://www.twilio.com/docs/email/api/email-resource>).
    pub async fn first_email(&self, id: OperationId) -> Result<Option<FirstEmail>, ApiError> {
        let mut url = self.url(first_email::PATH);
        url.query_pairs_mut()
            .append_pair("operationId", &id.to_string())
            .append_pair("pageSize", "1");
        let read = move |outcome: Result<&[u8], ApiError>| first_email::first(outcome?, id);
        self.get(Endpoint::Emails, url, body::LIMIT, read).await
    }

    /// Reads one page of `size` rows: for instance `GET /Emails/Operations`
    /// (<https://docs.comms.twilio.com/comms-api-reference/emails>).
    ///
    /// Neither the order nor whether the ends are inclusive is documented, so callers must identify rows by id.
    pub(super) async fn page<T: Resource>(
        &self,
        filter: &ListFilter,
        token: Option<&str>,
        size: usize,
    ) -> Result<ListPage<T>, ApiError> {
        let mut url = self.url(T::PATH);
        filter.add_to(&mut url);
        url.query_pairs_mut()
            .append_pair("pageSize", &size.to_string())
            .extend_pairs(token.map(|token| ("pageToken", token)));
        let read = |outcome: Result<&[u8], ApiError>| wire::page(outcome?, MOST_ROWS);
        let page = self.get(T::ENDPOINT, url, T::LARGEST_PAGE, read).await?;
        self.requester.note_unexpected(page.unexpected);
        Ok(page)
    }

    /// The URL of one operation.
    #[must_use]
    pub fn operation_url(&self, id: OperationId) -> Url {
        let mut url = self.url(Operation::PATH);
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(&id.to_string());
        }
        url
    }

    /// The URL of one operation as pages show it: without the path of the base URL, which may hold a secret.
    #[must_use]
    pub fn shown_operation_url(&self, id: OperationId) -> String {
        crate::config::shown_url(&self.base, &self.operation_url(id))
    }

    /// The URL of the list of emails that `filter` selects, as pages show it, like [`Self::shown_operation_url`].
    #[must_use]
    pub fn shown_emails_url(&self, filter: &ListFilter) -> String {
        let mut url = self.url(Email::PATH);
        filter.add_to(&mut url);
        crate::config::shown_url(&self.base, &url)
    }

    /// How this account authenticates, for messages.
    #[must_use]
    pub fn login(&self) -> Login {
        self.authenticator.kind()
    }

    /// The host of the base URL and its port, if it has one: for messages. Its path may hold a secret.
    #[must_use]
    pub fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        match self.base.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// The end of the pause of this account's requests, or of the token endpoint while requests need a new token.
    #[must_use]
    pub fn paused_until(&self) -> Option<Timestamp> {
        let paused = self.requester.paused_until(Server::Api);
        paused.or_else(|| self.authenticator.paused_until(&self.requester))
    }

    /// Since when the server of the current pause has rejected requests.
    #[must_use]
    pub fn paused_since(&self) -> Option<Timestamp> {
        let since = |server| self.requester.paused_since(server);
        since(Server::Api).or_else(|| since(Server::Tokens))
    }

    /// The earliest time at which `requests` more requests are made, at the account's rate.
    #[must_use]
    pub fn earliest(&self, requests: usize) -> tokio::time::Instant {
        self.requester.earliest(requests)
    }

    /// When rejected credentials are tried again; `None` without rejected credentials, or while a token is valid.
    #[must_use]
    pub fn next_login_at(&self) -> Option<Timestamp> {
        self.authenticator.next_login_at(&self.requester)
    }

    /// The server's clock minus this machine's, from the last response with a `Date`.
    #[must_use]
    pub fn clock_skew(&self) -> Option<ClockSkew> {
        self.requester.clock_skew()
    }

    /// Counts a failure of a response that could be used nevertheless.
    pub(super) fn note_failure(&self, endpoint: Endpoint, error: &ApiError) {
        self.requester.note_failure(endpoint, error);
    }

    /// Counts a single read that returned an unreadable state for a known operation, whose values stay. Returns the error.
    pub fn unreadable_state(&self) -> ApiError {
        self.requester.note_unusable_read();
        ApiError::InvalidResponse("an operation with an unreadable `status`")
    }

    /// Counts unexpected values of responses that could be used nevertheless.
    pub fn note_unexpected(&self, unexpected: Unexpected) {
        self.requester.note_unexpected(unexpected);
    }

    /// The URL of `path` below the base URL.
    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    /// Makes a request, counts it, and parses the response by `read`.
    ///
    /// The response has at most `largest` bytes. A large one is parsed on a blocking thread, because parsing megabytes would delay other scrapes.
    async fn get<T: Send + 'static>(
        &self,
        endpoint: Endpoint,
        url: Url,
        largest: usize,
        read: impl FnOnce(Result<&[u8], ApiError>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let result = match self.request(endpoint, &url, largest).await {
            Ok(body) if body.len() > LARGE => {
                let parsed = spawn_blocking(move || read(Ok(&body))).await;
                parsed.unwrap_or(Err(ApiError::InvalidResponse("the body cannot be parsed")))
            }
            outcome => read(outcome.as_deref().map_err(Clone::clone)),
        };
        if let Err(error) = &result {
            self.note_failure(endpoint, error);
        }
        result
    }

    /// Makes a request with the current credentials.
    ///
    /// If Twilio rejects them, the request is repeated once with others, if there are any: another secret in the file, or a new token.
    async fn request(
        &self,
        endpoint: Endpoint,
        url: &Url,
        largest: usize,
    ) -> Result<Vec<u8>, ApiError> {
        let mut authorization = self.authenticator.authorization(&self.requester).await?;
        let mut outcome = self.send(endpoint, url, &authorization, largest).await;
        if outcome.as_ref().err() == Some(&ApiError::Unauthorized) {
            let other = self
                .authenticator
                .instead_of(&authorization, &self.requester)
                .await;
            if let Some(other) = other.transpose() {
                self.note_failure(endpoint, &ApiError::Unauthorized);
                authorization = other?;
                outcome = self.send(endpoint, url, &authorization, largest).await;
            }
        }
        let login = self.requester.login(Server::Api);
        match &outcome {
            Ok(_) | Err(ApiError::Forbidden) => login.accepted(&authorization.credentials),
            Err(error) if error.is_about_resource() => login.accepted(&authorization.credentials),
            Err(ApiError::Unauthorized) => login.rejected(&authorization.credentials),
            Err(_) => {}
        }
        outcome
    }

    async fn send(
        &self,
        endpoint: Endpoint,
        url: &Url,
        authorization: &Authorization,
        largest: usize,
    ) -> Result<Vec<u8>, ApiError> {
        let request = Request::get(url).and_then(|request| authorization.on(request));
        let request = request.map_err(|failure| self.requester.unusable(failure))?;
        let request = request.header(ACCEPT, HeaderValue::from_static("application/json"));
        let credentials = &authorization.credentials;
        let response = self
            .requester
            .send(endpoint, &self.http, request, credentials, largest);
        response.await
    }
}
