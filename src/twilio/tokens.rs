//! Access tokens of an OAuth client (RFC 6749, section 4.4). They are fetched when needed, shared by all requests, and renewed
//! before they expire. A failed request for a token is not repeated at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use url::{Url, form_urlencoded};

use super::error::ApiError;
use super::requester::Requester;
use super::secret::{CredentialPair, LiveCredentials};
use super::throttle::Server;
use super::token::{self, Age, Token};
use super::transport::{self, TransportError};
use crate::clock::Clock;
use crate::config::{Network, OAuthClient};
use crate::exposition::Endpoint;
use crate::http::{HttpClient, Request};
use crate::ongoing_failure::OngoingFailure;
use crate::reason::Reason;
use crate::timestamp::Timestamp;

/// The result of a request for a token is used for the collection in which it was made, and no longer than this: requests outside of a
/// collection also need tokens, and a long collection must try again.
const HOLD: Duration = Duration::from_secs(15);
/// The content type of a request for a token.
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// One account's tokens.
#[derive(Debug)]
pub(super) struct Tokens {
    account: Arc<str>,
    http: HttpClient,
    url: Url,
    client: LiveCredentials,
    clock: Clock,
    /// The number of collections so far.
    collections: AtomicU64,
    /// Locked while a token is fetched, so that concurrent requests wait for the same token.
    state: Mutex<TokenState>,
}

#[derive(Debug)]
struct TokenState {
    token: Option<Arc<Token>>,
    last: Option<LastFetch>,
    /// The current failure: why there is no new token, and whether the current one is still valid.
    failure: OngoingFailure<(Reason, bool)>,
}

/// The last request for a token.
#[derive(Debug)]
struct LastFetch {
    collection: u64,
    at: Instant,
    error: Option<ApiError>,
}

impl Tokens {
    pub(super) fn new(
        account: &Arc<str>,
        client: &OAuthClient,
        network: &Network,
        clock: Clock,
    ) -> Result<Self, TransportError> {
        Ok(Self {
            account: Arc::clone(account),
            http: transport::client(&client.token_url, network)?,
            url: client.token_url.clone(),
            client: LiveCredentials::new(account, &client.id, &client.secret),
            clock,
            collections: AtomicU64::new(0),
            state: Mutex::new(TokenState {
                token: None,
                last: None,
                failure: OngoingFailure::new(),
            }),
        })
    }

    /// To be called when a collection begins. Reads the client's secret again and allows a new request for a token.
    pub(super) async fn begin(&self) {
        self.client.refresh().await;
        self.collections.fetch_add(1, Ordering::Relaxed);
    }

    /// The token that requests use now.
    pub(super) async fn get(&self, requester: &Requester) -> Result<Arc<Token>, ApiError> {
        let mut state = self.state.lock().await;
        match &state.token {
            Some(token) if token.age(self.clock.instant()) == Age::Fresh => Ok(Arc::clone(token)),
            _ => self.renew(&mut state, requester).await,
        }
    }

    /// The end of the token endpoint's pause, while no token is valid until then.
    pub(super) fn paused_until(&self, requester: &Requester) -> Option<Timestamp> {
        self.needs_token()
            .then(|| requester.paused_until(Server::Tokens))?
    }

    /// When the rejected client is tried again, if no token is valid until then.
    pub(super) fn next_login_at(&self, requester: &Requester) -> Option<Timestamp> {
        let login = requester.login(Server::Tokens);
        self.needs_token()
            .then(|| login.retry_at(&self.client.now()))?
    }

    /// Whether requests need a new token.
    fn needs_token(&self) -> bool {
        // A request for a token is running, so the result is not known yet.
        let Ok(state) = self.state.try_lock() else {
            return false;
        };
        let now = self.clock.instant();
        let usable = |token: &Arc<Token>| token.age(now) != Age::Over;
        !state.token.as_ref().is_some_and(usable)
    }

    pub(super) const fn url(&self) -> &Url {
        &self.url
    }

    pub(super) const fn client(&self) -> &LiveCredentials {
        &self.client
    }

    /// A new token, because `refused` was rejected. `None` if that one was just fetched, because another one would be rejected too.
    pub(super) async fn instead_of(
        &self,
        refused: &Arc<Token>,
        requester: &Requester,
    ) -> Result<Option<Arc<Token>>, ApiError> {
        let mut state = self.state.lock().await;
        if let Some(token) = &state.token
            && !Arc::ptr_eq(token, refused)
        {
            return Ok(Some(Arc::clone(token)));
        }
        if let Some(last) = self.recent(&state)
            && last.error.is_none()
        {
            return Ok(None);
        }
        state.token = None;
        self.renew(&mut state, requester).await.map(Some)
    }

    /// Fetches a token, unless that has just failed. While it fails, the last token is used until it expires.
    async fn renew(
        &self,
        state: &mut TokenState,
        requester: &Requester,
    ) -> Result<Arc<Token>, ApiError> {
        let held = self.recent(state).and_then(|last| last.error.clone());
        let error = match held {
            Some(error) => error,
            None => match self.fetch(requester).await {
                Ok(token) => return Ok(self.fetched(state, token)),
                Err(error) => {
                    self.failed(state, &error);
                    error
                }
            },
        };
        let now = self.clock.instant();
        let usable = |token: &&Arc<Token>| token.age(now) != Age::Over;
        let token = state.token.as_ref().filter(usable).cloned();
        token.ok_or_else(|| error.without_token())
    }

    fn fetched(&self, state: &mut TokenState, token: Token) -> Arc<Token> {
        self.note(state, None);
        if state.failure.recovered() {
            tracing::info!(account = %self.account, "access tokens can be fetched again");
        }
        Arc::clone(state.token.insert(Arc::new(token)))
    }

    /// Notes that there is no new token. Logs it when it begins and once an hour.
    fn failed(&self, state: &mut TokenState, error: &ApiError) {
        // The rejection that caused a pause was logged.
        let Some(mut reason) = error.reason() else {
            return;
        };
        if error.was_requested() {
            self.note(state, Some(error.clone()));
        } else if let Some((logged, _)) = state.failure.error() {
            // The rejection that caused the backoff was logged with its reason.
            reason = *logged;
        }
        let now = self.clock.instant();
        let lasts = state.token.as_ref();
        let lasts = lasts.is_some_and(|token| token.age(now) != Age::Over);
        if !state
            .failure
            .failed((reason, lasts), tokio::time::Instant::now())
        {
            return;
        }
        let (account, reason) = (&self.account, reason.as_str());
        let error = error.clone().without_token();
        if lasts {
            tracing::warn!(account = %account, reason, %error, "cannot renew the access token; the exporter uses the current one until it expires");
        } else {
            tracing::warn!(account = %account, reason, %error, "cannot fetch an access token");
        }
    }

    fn note(&self, state: &mut TokenState, error: Option<ApiError>) {
        state.last = Some(LastFetch {
            collection: self.collections.load(Ordering::Relaxed),
            at: self.clock.instant(),
            error,
        });
    }

    /// The last request for a token, if its result is still used.
    fn recent<'a>(&self, state: &'a TokenState) -> Option<&'a LastFetch> {
        let (collection, now) = (
            self.collections.load(Ordering::Relaxed),
            self.clock.instant(),
        );
        state.last.as_ref().filter(|last| {
            last.collection == collection && now.saturating_duration_since(last.at) < HOLD
        })
    }

    /// Requests a token. Repeats the request once if the client's secret has changed.
    async fn fetch(&self, requester: &Requester) -> Result<Token, ApiError> {
        let mut shown = self.client.now();
        let mut outcome = self.send(&shown, requester).await;
        if matches!(
            outcome,
            Err(ApiError::Unauthorized | ApiError::LoginRejected { .. })
        ) && let Some(newer) = self.client.newer_than(&shown).await
        {
            shown = newer;
            outcome = self.send(&shown, requester).await;
        }
        match outcome {
            Ok(_) => requester.login(Server::Tokens).accepted(&shown),
            Err(ApiError::Unauthorized | ApiError::Forbidden) => {
                requester.login(Server::Tokens).rejected(&shown);
            }
            Err(_) => {}
        }
        outcome
    }

    async fn send(
        &self,
        client: &CredentialPair,
        requester: &Requester,
    ) -> Result<Token, ApiError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", client.name.expose_secret())
            .append_pair("client_secret", client.secret.expose_secret())
            .finish();
        let request = Request::post(&self.url, form)
            .map_err(|failure| requester.unusable(failure))?
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(CONTENT_TYPE, FORM);
        let requested = self.clock.instant();
        let response = requester.send(Endpoint::Token, &self.http, request, client, token::LIMIT);
        let response = response.await;
        let token = response.and_then(|body| Token::read(&body, requested));
        if let Err(error) = &token {
            requester.note_failure(Endpoint::Token, error);
        }
        token
    }
}
