//! Accepts or refuses a request, in the order of the exporter-toolkit: rate limit, then authentication. Then it checks whether the
//! user may write.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use super::super::connections::ConnectedClient;
use super::super::current_config::CurrentWebConfig;
use super::credentials::Credentials;
use super::passwords::{NoRandomNumbers, Passwords, Verdict};
use super::token_bucket::TokenBucket;
use crate::exposition::{Refused, WebInstruments};
use crate::web_config::WebConfig;

/// The paths that need no password with `health_without_auth`.
const HEALTH: [&str; 2] = ["/-/healthy", "/-/ready"];
/// When a client may try again while too many passwords are being checked.
const BUSY: Duration = Duration::from_secs(1);

/// The state of the checks. It outlives changes of the web configuration.
#[derive(Debug)]
pub struct AccessControl {
    config: Arc<CurrentWebConfig>,
    bucket: TokenBucket,
    passwords: Passwords,
    instruments: WebInstruments,
}

impl AccessControl {
    /// Checks requests by `config`.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn new(
        config: Arc<CurrentWebConfig>,
        instruments: WebInstruments,
    ) -> Result<Self, NoRandomNumbers> {
        Ok(Self {
            config,
            bucket: TokenBucket::default(),
            passwords: Passwords::new(instruments.clone())?,
            instruments,
        })
    }

    /// The web configuration.
    #[must_use]
    pub const fn config(&self) -> &Arc<CurrentWebConfig> {
        &self.config
    }

    /// The response if the request is refused.
    async fn refuse(&self, config: &Arc<WebConfig>, request: &Parts) -> Option<Response> {
        if let Some(limit) = config.rate_limit
            && let Err(wait) = self.bucket.take(limit, Instant::now())
        {
            let text = "Too many requests: rate_limit in the web configuration of the exporter is reached.\n";
            return Some(self.later(
                Refused::RateLimited,
                StatusCode::TOO_MANY_REQUESTS,
                wait,
                text,
            ));
        }
        if config.users.is_empty()
            || config.health_without_auth && HEALTH.contains(&request.uri.path())
        {
            return None;
        }
        match self.authenticate(config, request).await {
            Verdict::Accepted { may_write } if may_write || request.method.is_safe() => None,
            Verdict::Accepted { .. } => {
                self.instruments.refused(Refused::ReadOnly);
                let text = "This user may only read, because read_only_users in the web configuration lists it. Use another user for changes.\n";
                Some((StatusCode::FORBIDDEN, text).into_response())
            }
            Verdict::Rejected => {
                self.instruments.refused(Refused::Unauthenticated);
                let text = "Unauthorized: send a user name and a password of basic_auth_users in the web configuration of the exporter.\n";
                let challenge = [(header::WWW_AUTHENTICATE, "Basic")];
                Some((StatusCode::UNAUTHORIZED, challenge, text).into_response())
            }
            Verdict::Busy => {
                let text = "Too many passwords are being checked. Try again in a second.\n";
                Some(self.later(Refused::Busy, StatusCode::SERVICE_UNAVAILABLE, BUSY, text))
            }
        }
    }

    async fn authenticate(&self, config: &Arc<WebConfig>, request: &Parts) -> Verdict {
        let Some(credentials) = Credentials::of(&request.headers) else {
            return Verdict::Rejected;
        };
        let client = request.extensions.get::<ConnectedClient>();
        let address = client.and_then(|client| client.address.ip());
        self.passwords.check(config, &credentials, address).await
    }

    fn later(
        &self,
        why: Refused,
        status: StatusCode,
        wait: Duration,
        text: &'static str,
    ) -> Response {
        self.instruments.refused(why);
        // Rounded up, because a client that tries too early is refused again.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let retry = [(header::RETRY_AFTER, HeaderValue::from(seconds))];
        (status, retry, text).into_response()
    }
}

/// Serves the request if it is allowed.
pub(in crate::web) async fn check_access(
    State(access_control): State<Arc<AccessControl>>,
    request: Request,
    next: Next,
) -> Response {
    let config = access_control.config.get();
    // Only the head can be shared between threads.
    let (head, body) = request.into_parts();
    let mut response = match access_control.refuse(&config, &head).await {
        Some(refused) => refused,
        None => next.run(Request::from_parts(head, body)).await,
    };
    for header in &config.headers {
        if let Ok(value) = HeaderValue::from_str(&header.value) {
            let name = HeaderName::from_bytes(header.name.as_bytes());
            if let Ok(name) = name {
                response.headers_mut().insert(name, value);
            }
        }
    }
    response
}
