//! One request and its answer: under the account's manners, within its time, counted.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::{Request, RequestBuilder, Response, StatusCode};
use tokio::time::Instant;

use super::error::ApiError;
use super::login_backoff::LoginBackoff;
use super::secret::Pair;
use super::throttle::{Server, Throttle};
use super::{body, status, token, transport};
use crate::clock::Clock;
use crate::clock_skew::ClockSkew;
use crate::config::Limits;
use crate::exposition::{AccountInstruments, Endpoint};
use crate::http::{self, Client};
use crate::operation::Unexpected;
use crate::timestamp::Timestamp;

/// A clock that runs so far ahead of or behind the time that passed was set.
const CLOCK_STEP: Duration = Duration::from_secs(2);

/// Makes the requests of one account, whatever they are for.
#[derive(Debug)]
pub(super) struct Exchange {
    /// For one request, from the first byte sent to the last one read.
    limit: Duration,
    throttle: Throttle,
    api_login: LoginBackoff,
    token_login: LoginBackoff,
    instruments: AccountInstruments,
    clock: Clock,
    skew: Mutex<Option<ClockSkew>>,
    /// The fields of which the log has said that they hold odd values, a bit each.
    told: AtomicU8,
}

impl Exchange {
    pub(super) fn new(limits: &Limits, instruments: AccountInstruments, clock: Clock) -> Self {
        Self {
            limit: limits.request_timeout,
            throttle: Throttle::new(
                limits.requests_per_second,
                limits.concurrent_requests,
                clock.clone(),
            ),
            api_login: LoginBackoff::new(clock.clone()),
            token_login: LoginBackoff::new(clock.clone()),
            instruments,
            clock,
            skew: Mutex::default(),
            told: AtomicU8::new(0),
        }
    }

    /// Goes on in the rhythm of another one, and keeps the pause that Twilio asked it for.
    pub(super) fn follow(&mut self, before: &Self) {
        self.throttle.follow(&before.throttle);
    }

    /// Continues the backoff of credentials that the same servers rejected before.
    pub(super) fn follow_logins(&mut self, before: &Self) {
        self.api_login.follow(&before.api_login);
        self.token_login.follow(&before.token_login);
    }

    /// A collection begins.
    pub(super) fn begin_collection(&self) {
        self.api_login.begin_collection();
        self.token_login.begin_collection();
    }

    /// Sends the request, which shows `credentials` or a token they are good for, and which must be idempotent, and counts it; that it failed is for the caller to note, who knows what it
    /// means.
    ///
    /// If the server closes a connection that was idle before, without an answer, the request is sent once again on a new
    /// one. That is a second request: it waits for its turn, is counted, and has what is left of the time.
    pub(super) async fn ask(
        &self,
        endpoint: Endpoint,
        http: &Client,
        request: RequestBuilder,
        credentials: &Pair,
    ) -> Result<Vec<u8>, ApiError> {
        let request = request
            .build()
            .map_err(|error| transport::judge(http::failure(&error), self.limit))?;
        let again = request.try_clone();
        let first = self
            .once(endpoint, http, request, credentials, self.limit)
            .await;
        match (first.repeat, again) {
            (Some(left), Some(again)) => {
                if let Err(error) = &first.outcome {
                    self.note_failure(endpoint, error);
                }
                let second = self.once(endpoint, http, again, credentials, left).await;
                second.outcome
            }
            _ => first.outcome,
        }
    }

    /// One request, for at most `limit`.
    async fn once(
        &self,
        endpoint: Endpoint,
        http: &Client,
        request: Request,
        credentials: &Pair,
        limit: Duration,
    ) -> Attempt {
        let admitted = self.throttle.admit(server(endpoint)).await;
        // They may have been rejected while this request waited for its turn.
        let login = self.login(server(endpoint));
        let permit = match admitted.and_then(|permit| login.check(credentials).map(|()| permit)) {
            Ok(permit) => permit,
            Err(error) => return Attempt::failed(error),
        };
        let path = request.url().path().to_owned();
        let started = Instant::now();
        let (mut code, mut stale) = (None, false);
        let answer = async {
            let exchange = http.exchange();
            let sent = (self.clock.now(), Instant::now());
            let outcome = match exchange.send(request).await {
                Ok(response) => {
                    code = Some(response.status().as_u16());
                    self.note_time(endpoint, &response, sent);
                    read(endpoint, response).await
                }
                Err(none) => {
                    stale = none.on_stale_connection;
                    Err(transport::judge(none.failure, self.limit))
                }
            };
            exchange.end();
            outcome
        };
        let answer = tokio::time::timeout(limit, answer).await;
        let took = started.elapsed();
        drop(permit);
        let outcome = answer.unwrap_or(Err(ApiError::Timeout(self.limit)));
        self.instruments.request(endpoint, code, took);
        tracing::trace!(
            endpoint = endpoint.as_str(),
            path,
            code,
            seconds = took.as_secs_f64(),
            error = outcome.as_ref().err().map(tracing::field::display),
            "asked Twilio"
        );
        self.pace(endpoint, &outcome);
        Attempt {
            outcome,
            repeat: stale.then(|| limit.saturating_sub(took)),
        }
    }

    /// Begins a pause where the server asks for one, and ends one where it answers.
    fn pace(&self, endpoint: Endpoint, outcome: &Result<Vec<u8>, ApiError>) {
        match outcome {
            Err(
                ApiError::RateLimited { retry_after } | ApiError::Unavailable { retry_after, .. },
            ) => self.throttle.refused(server(endpoint), *retry_after),
            Ok(_) => self.throttle.answered(server(endpoint)),
            _ => {}
        }
    }

    /// Compares the server's clock with ours, unless ours was set since the request was `sent`. A token's server is another one.
    fn note_time(&self, endpoint: Endpoint, response: &Response, sent: (Timestamp, Instant)) {
        let ours = self.clock.now();
        let expected = sent.0 + sent.1.elapsed();
        let was_set = ClockSkew::between(expected, ours).span() > CLOCK_STEP;
        if endpoint != Endpoint::Token
            && !was_set
            && let Some(theirs) = status::date(response.headers())
        {
            let skew = ClockSkew::between(theirs, ours);
            *self.skew.lock() = Some(skew);
        }
    }

    /// The server's clock minus ours, by its last answer that had a date.
    pub(super) fn clock_skew(&self) -> Option<ClockSkew> {
        *self.skew.lock()
    }

    /// Counts a failure, if a request was made.
    pub(super) fn note_failure(&self, endpoint: Endpoint, error: &ApiError) {
        if let Some(reason) = error.reason().filter(|_| error.was_requested()) {
            self.instruments.failure(endpoint, reason);
        }
    }

    /// Counts odd values of answers that could be used all the same. The log has one line for the first of each field.
    pub(super) fn note_unexpected(&self, unexpected: Unexpected) {
        for (field, count) in unexpected.counts() {
            self.instruments.unexpected(field, count);
            let bit = 1 << field as u8;
            if self.told.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
                tracing::warn!(
                    account = self.instruments.name(),
                    field = field.as_str(),
                    "Twilio returned values that are not used as they are; twilio_email_api_unexpected_values_total counts them"
                );
            }
        }
    }

    /// The backoff of the account's credentials at this server.
    pub(super) const fn login(&self, server: Server) -> &LoginBackoff {
        match server {
            Server::Api => &self.api_login,
            Server::Tokens => &self.token_login,
        }
    }

    /// Until when the server wants no requests of this account, if it does.
    pub(super) fn paused_until(&self, server: Server) -> Option<Timestamp> {
        self.throttle.paused_until(server)
    }

    /// When `requests` more requests will have been made at the earliest.
    pub(super) fn earliest(&self, requests: usize) -> tokio::time::Instant {
        self.throttle.earliest(requests)
    }
}

const fn server(endpoint: Endpoint) -> Server {
    match endpoint {
        Endpoint::Token => Server::Tokens,
        Endpoint::Operation | Endpoint::Operations | Endpoint::Emails => Server::Api,
    }
}

/// What one request came to.
struct Attempt {
    outcome: Result<Vec<u8>, ApiError>,
    /// The server closed an old connection without an answer, and so much time is left to send the request again.
    repeat: Option<Duration>,
}

impl Attempt {
    const fn failed(error: ApiError) -> Self {
        Self {
            outcome: Err(error),
            repeat: None,
        }
    }
}

/// The body of an answer that is one, or what else it is.
async fn read(endpoint: Endpoint, response: Response) -> Result<Vec<u8>, ApiError> {
    let judged = status::judge(response.status(), response.headers());
    if endpoint != Endpoint::Token {
        judged?;
        return body::read(response, body::LIMIT).await;
    }
    match judged {
        // A token is made, so 201 would be right as well.
        Err(_) if response.status() == StatusCode::CREATED => {}
        Err(error @ ApiError::BadRequest { status: 400 }) => {
            let said = body::read(response, token::LIMIT).await;
            return Err(token::refusal(error, &said.unwrap_or_default()));
        }
        // "Not there" is about the endpoint, and never about an operation.
        Err(ApiError::NotFound { status }) => return Err(ApiError::BadRequest { status }),
        judged => judged?,
    }
    body::read(response, token::LIMIT).await
}
