//! Sends the requests of one account within its limits and counts them. It observes the server's clock, pauses and rejections in every
//! response.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use hyper::StatusCode;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::error::ApiError;
use super::login_backoff::LoginBackoff;
use super::secret::CredentialPair;
use super::throttle::{Server, Throttle};
use super::{body, http_status, token, transport};
use crate::clock::Clock;
use crate::clock_skew::ClockSkew;
use crate::config::Limits;
use crate::exposition::{AccountInstruments, Endpoint};
use crate::http::{HttpClient, NoResponse, Request, Response};
use crate::operation::Unexpected;
use crate::reason::Reason;
use crate::timestamp::Timestamp;

/// If the time of day advanced by a time that differs by more than this from the elapsed time, it jumped.
const CLOCK_STEP: Duration = Duration::from_secs(2);

/// Sends all requests of one account.
#[derive(Debug)]
pub(super) struct Requester {
    /// The timeout of one request, from the first byte sent to the last byte read.
    timeout: Duration,
    throttle: Throttle,
    api_login: LoginBackoff,
    token_login: LoginBackoff,
    instruments: AccountInstruments,
    clock: Clock,
    skew: Mutex<Option<ClockSkew>>,
    /// The fields whose undocumented values were logged, one bit each.
    logged: AtomicU8,
}

impl Requester {
    pub(super) fn new(limits: &Limits, instruments: AccountInstruments, clock: Clock) -> Self {
        Self {
            timeout: limits.request_timeout,
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
            logged: AtomicU8::new(0),
        }
    }

    /// Continues the rate limit and the pauses of `before`.
    pub(super) fn follow(&mut self, before: &Self) {
        self.throttle.follow(&before.throttle);
    }

    /// Continues the backoff of credentials that the same servers rejected before.
    pub(super) fn follow_logins(&mut self, before: &Self) {
        self.api_login.follow(&before.api_login);
        self.token_login.follow(&before.token_login);
    }

    /// To be called when a collection begins.
    pub(super) fn begin_collection(&self) {
        self.api_login.begin_collection();
        self.token_login.begin_collection();
    }

    /// Sends an idempotent request and counts it. `credentials` are the request's or its token's. The caller counts the failure, because
    /// the meaning of a status depends on the request.
    ///
    /// If the server closes an idle connection without a response, the request is sent once more on a new connection. That is a second
    /// request: it is throttled and counted, and has the rest of the timeout. A response has at most `largest` bytes.
    pub(super) async fn send(
        &self,
        endpoint: Endpoint,
        http: &HttpClient,
        request: Request,
        credentials: &CredentialPair,
        largest: usize,
    ) -> Result<Vec<u8>, ApiError> {
        let again = request.clone();
        let first = self
            .once(
                endpoint,
                http,
                request,
                credentials,
                (largest, self.timeout),
            )
            .await;
        match first.repeat {
            Some(left) => {
                if let Err(error) = &first.outcome {
                    self.note_failure(endpoint, error);
                }
                let second = self
                    .once(endpoint, http, again, credentials, (largest, left))
                    .await;
                second.outcome
            }
            None => first.outcome,
        }
    }

    /// Sends one request. Its limits are the bytes of the response and the timeout.
    async fn once(
        &self,
        endpoint: Endpoint,
        http: &HttpClient,
        request: Request,
        credentials: &CredentialPair,
        (largest, timeout): (usize, Duration),
    ) -> RequestResult {
        let admitted = self.throttle.admit(server(endpoint)).await;
        // They may have been rejected while the throttle delayed this request.
        let login = self.login(server(endpoint));
        let permit = match admitted.and_then(|permit| login.check(credentials).map(|()| permit)) {
            Ok(permit) => permit,
            Err(error) => return RequestResult::failed(error),
        };
        let path = shown_path(request.path()).to_owned();
        let started = Instant::now();
        let (mut code, mut stale) = (None, false);
        let response = async {
            let guard = http.guard();
            let sent = (self.clock.now(), Instant::now());
            let outcome = match guard.send(request).await {
                Ok(response) => {
                    code = Some(response.status().as_u16());
                    self.note_time(endpoint, &response, sent);
                    read(endpoint, response, largest).await
                }
                Err(none) => {
                    stale = none.on_stale_connection;
                    Err(transport::classify(none.failure, self.timeout))
                }
            };
            guard.end();
            outcome
        };
        let response = tokio::time::timeout(timeout, response).await;
        let took = started.elapsed();
        drop(permit);
        let outcome = response.unwrap_or(Err(ApiError::Timeout(self.timeout)));
        self.instruments.request(endpoint, code, took);
        tracing::trace!(
            endpoint = endpoint.as_str(),
            path,
            code,
            seconds = took.as_secs_f64(),
            error = outcome.as_ref().err().map(tracing::field::display),
            "request to Twilio"
        );
        self.note_pause(endpoint, &outcome);
        RequestResult {
            outcome,
            repeat: stale.then(|| timeout.saturating_sub(took)),
        }
    }

    /// Starts a pause if the server requests one, and resets the count of rejections if it responds.
    fn note_pause(&self, endpoint: Endpoint, outcome: &Result<Vec<u8>, ApiError>) {
        match outcome {
            Err(
                ApiError::RateLimited { retry_after } | ApiError::Unavailable { retry_after, .. },
            ) => self.throttle.refused(server(endpoint), *retry_after),
            Ok(_) => self.throttle.succeeded(server(endpoint)),
            _ => {}
        }
    }

    /// Compares the server's clock with this machine's, unless that jumped since the request was `sent`. The token endpoint's clock is not
    /// used.
    fn note_time(&self, endpoint: Endpoint, response: &Response, sent: (Timestamp, Instant)) {
        let ours = self.clock.now();
        let expected = sent.0 + sent.1.elapsed();
        let was_set = ClockSkew::between(expected, ours).span() > CLOCK_STEP;
        if endpoint != Endpoint::Token
            && !was_set
            && let Some(theirs) = http_status::date(response.headers())
        {
            let skew = ClockSkew::between(theirs, ours);
            *self.skew.lock() = Some(skew);
        }
    }

    /// The server's clock minus this machine's, from the last response with a `Date`.
    pub(super) fn clock_skew(&self) -> Option<ClockSkew> {
        *self.skew.lock()
    }

    /// The error of a request that cannot be made.
    pub(super) fn unusable(&self, failure: NoResponse) -> ApiError {
        transport::classify(failure, self.timeout)
    }

    /// Counts a failure, if a request was made.
    pub(super) fn note_failure(&self, endpoint: Endpoint, error: &ApiError) {
        if let Some(reason) = error.reason().filter(|_| error.was_requested()) {
            self.instruments.failure(endpoint, reason);
        }
    }

    /// Counts a single read whose response could not be used in the end.
    pub(super) fn note_unusable_read(&self) {
        self.instruments
            .failure(Endpoint::Operation, Reason::InvalidResponse);
    }

    /// Counts unexpected values of responses that could be used nevertheless. The first one of each field is logged.
    pub(super) fn note_unexpected(&self, unexpected: Unexpected) {
        for (field, count) in unexpected.counts() {
            self.instruments.unexpected(field, count);
            let bit = 1 << field as u8;
            if self.logged.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
                tracing::warn!(
                    account = self.instruments.name(),
                    field = field.as_str(),
                    "Twilio returned unexpected values; twilio_email_api_unexpected_values_total counts them"
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

    /// The end of the server's pause; `None` without a pause.
    pub(super) fn paused_until(&self, server: Server) -> Option<Timestamp> {
        self.throttle.paused_until(server)
    }

    /// Since when the server of a current pause has rejected requests.
    pub(super) fn paused_since(&self, server: Server) -> Option<Timestamp> {
        self.throttle.paused_since(server)
    }

    /// The earliest time at which `requests` more requests are made.
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

/// The result of one request.
struct RequestResult {
    outcome: Result<Vec<u8>, ApiError>,
    /// The time that is left to send the request again, if the server closed an idle connection without a response.
    repeat: Option<Duration>,
}

impl RequestResult {
    const fn failed(error: ApiError) -> Self {
        Self {
            outcome: Err(error),
            repeat: None,
        }
    }
}

/// The part of a request's path that is Twilio's. The path of a base URL or of a token URL may hold a secret.
fn shown_path(path: &str) -> &str {
    path.rfind("/Emails").map_or("", |at| &path[at..])
}

/// Reads the body of a response, of at most `largest` bytes, or classifies its status.
async fn read(endpoint: Endpoint, response: Response, largest: usize) -> Result<Vec<u8>, ApiError> {
    let classified = http_status::classify(response.status(), response.headers());
    if endpoint != Endpoint::Token {
        classified?;
        return body::read(response, largest).await;
    }
    match classified {
        // A token is created, so 201 is a success too.
        Err(_) if response.status() == StatusCode::CREATED => {}
        Err(error @ ApiError::BadRequest { status: 400 }) => {
            let body = body::read(response, largest).await;
            return Err(token::refusal(error, &body.unwrap_or_default()));
        }
        // A 404 is about the token endpoint and not about an operation.
        Err(ApiError::NotFound { status }) => return Err(ApiError::BadRequest { status }),
        classified => classified?,
    }
    body::read(response, largest).await
}
