//! What can go wrong with one request: a variant per decision of the caller.

use std::time::Duration;

use crate::reason::Reason;
use crate::timestamp::Timestamp;

/// Why a request to Twilio gave no figures. No variant carries anything of an answer's body: it may hold personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// 401.
    #[error(
        "Twilio does not accept the credentials (401): check that SID and token, or key and secret, belong together and were not revoked"
    )]
    Unauthorized,
    /// 403.
    #[error(
        "the credentials lack the right to read this (403): give the API key access to Email, or use the auth token"
    )]
    Forbidden,
    /// 404 or 410.
    #[error(
        "Twilio does not know it ({status}): it is of another account, not visible yet, or expired; if no operation is known, check the base URL"
    )]
    NotFound {
        /// The HTTP status.
        status: u16,
    },
    /// 404 or 410 after the retention, or close to its end.
    #[error("Twilio no longer keeps it ({status})")]
    Expired {
        /// The HTTP status.
        status: u16,
    },
    /// 400.
    #[error("Twilio refuses the request ({status}): check the base URL")]
    BadRequest {
        /// The HTTP status.
        status: u16,
    },
    /// A redirect, 407, or another status that no document of Twilio's names.
    #[error("{}", unexpected(*.status))]
    Unexpected {
        /// The HTTP status.
        status: u16,
    },
    /// A later page of a list is refused, although the first one was not.
    #[error(
        "page {page} of the list failed: {cause}. The list starts again with the next collection"
    )]
    BrokenList {
        /// Counted from 1.
        page: usize,
        /// What the request for the page returned.
        cause: Box<ApiError>,
    },
    /// 429.
    #[error("Twilio asks for fewer requests (429)")]
    RateLimited {
        /// What `Retry-After` asked for.
        retry_after: Option<RetryAfter>,
    },
    /// 502, 503 or 504.
    #[error("Twilio is not available ({status})")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// What `Retry-After` asked for.
        retry_after: Option<RetryAfter>,
    },
    /// 500 and other 5xx; Twilio documents not to retry.
    #[error("Twilio failed ({status})")]
    ServerError {
        /// The HTTP status.
        status: u16,
    },
    /// No whole answer in time.
    #[error("no answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// No connection, or it was closed; in words of ours.
    #[error("no connection: {0}")]
    Connect(String),
    /// The handshake failed; in words of ours.
    #[error("no TLS connection: {0}")]
    Tls(String),
    /// What came back is no HTTP answer; in words of ours.
    #[error("no valid HTTP answer: {0}")]
    Protocol(String),
    /// A 200 that is not what Twilio documents.
    #[error("the answer is not what Twilio documents: {0}")]
    InvalidResponse(&'static str),
    /// An answer about the operation that cannot be true.
    #[error("the answer about the operation is not what Twilio documents: {0}")]
    Implausible(&'static str),
    /// An encoding that we do not ask for.
    #[error("the answer has the encoding {0}; only gzip, or none, is asked for")]
    Encoding(&'static str),
    /// More bytes than any right answer has.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// More rows than any page that was asked for.
    #[error("the page has more than {limit} rows")]
    TooManyRows {
        /// In rows.
        limit: usize,
    },
    /// Nothing was asked: there is no access token to show.
    #[error("no access token: {}", token_trouble(.0))]
    NoToken(Box<ApiError>),
    /// Nothing was requested: Twilio rejected these credentials, and they wait for their next try.
    #[error(
        "not requested: Twilio rejected the credentials. The exporter tries them again at {retry_at}, and other ones at once"
    )]
    LoginRejected {
        /// When they are tried again.
        retry_at: Timestamp,
    },
    /// Nothing was asked: the account pauses because Twilio said so.
    #[error("not asked: Twilio wants no requests before {until}")]
    Paused {
        /// The end of the pause.
        until: Timestamp,
    },
}

/// A `Retry-After` header, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// Delta seconds.
    In(Duration),
    /// An HTTP date.
    At(Timestamp),
}

impl ApiError {
    /// The label for `twilio_email_api_request_failures_total`; `None` during a pause. Without a token it is the
    /// reason why there is none, and for credentials that wait, why they do.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        Some(match self {
            Self::NoToken(cause) | Self::BrokenList { cause, .. } => return cause.reason(),
            Self::Unauthorized | Self::LoginRejected { .. } => Reason::Unauthorized,
            Self::Forbidden => Reason::Forbidden,
            Self::NotFound { .. } => Reason::NotFound,
            Self::Expired { .. } => Reason::Expired,
            Self::BadRequest { .. } | Self::Unexpected { .. } => Reason::BadRequest,
            Self::RateLimited { .. } => Reason::RateLimited,
            Self::Unavailable { .. } => Reason::Unavailable,
            Self::ServerError { .. } => Reason::ServerError,
            Self::Timeout(_) => Reason::Timeout,
            Self::Connect(_) => Reason::Connect,
            Self::Tls(_) => Reason::Tls,
            Self::InvalidResponse(_)
            | Self::Implausible(_)
            | Self::Protocol(_)
            | Self::Encoding(_) => Reason::InvalidResponse,
            Self::TooLarge { .. } | Self::TooManyRows { .. } => Reason::TooLarge,
            Self::Paused { .. } => return None,
        })
    }

    /// Whether Twilio answers so to an account that authenticates: about the thing itself.
    ///
    /// A wrong base URL gives the same answers. So this proves nothing of the account if nothing else could be read.
    #[must_use]
    pub const fn is_about_resource(&self) -> bool {
        matches!(
            self,
            Self::NotFound { status: 404 } | Self::Expired { .. } | Self::BadRequest { .. }
        )
    }

    /// Whether every other request of this account would fare the same just now, so that asking on would only be noise.
    #[must_use]
    pub const fn concerns_account(&self) -> bool {
        matches!(
            self,
            Self::Unauthorized
                | Self::Forbidden
                | Self::Unexpected { .. }
                | Self::RateLimited { .. }
                | Self::Unavailable { .. }
                | Self::Timeout(_)
                | Self::Connect(_)
                | Self::Tls(_)
                | Self::Protocol(_)
                | Self::NoToken(_)
                | Self::LoginRejected { .. }
                | Self::Paused { .. }
        )
    }

    /// Whether a request was made. Only those count.
    pub(super) const fn was_requested(&self) -> bool {
        !matches!(
            self,
            Self::NoToken(_) | Self::LoginRejected { .. } | Self::Paused { .. }
        )
    }

    /// Whether the log has it already, for it is not about what was asked for.
    #[must_use]
    pub const fn was_told(&self) -> bool {
        matches!(self, Self::NoToken(_) | Self::LoginRejected { .. })
    }

    /// As the error of a request that could not be made because of this one, which was for a token.
    #[must_use]
    pub(super) fn without_token(self) -> Self {
        match self {
            Self::Paused { .. } | Self::LoginRejected { .. } | Self::NoToken(_) => self,
            cause => Self::NoToken(Box::new(cause)),
        }
    }

    /// Whether the endpoint itself is refused, until somebody changes something.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Forbidden
                | Self::NotFound { .. }
                | Self::Expired { .. }
                | Self::BadRequest { .. }
        )
    }

    /// As the error of one page of a list. A list whose first page was read is not refused as a whole.
    #[must_use]
    pub(super) fn at_page(self, page: usize) -> Self {
        if page > 1 && (self.is_refusal() || matches!(self, Self::Unexpected { .. })) {
            Self::BrokenList {
                page,
                cause: Box::new(self),
            }
        } else {
            self
        }
    }

    /// What it says of a list of operations, where the text for single operations would mislead.
    #[must_use]
    pub fn of_list(&self) -> String {
        match self {
            Self::NotFound { status } | Self::Expired { status } => {
                format!("no list of operations at this address ({status}): check the base URL")
            }
            other => other.to_string(),
        }
    }
}

/// What to do about a status that only something between the exporter and Twilio returns.
fn unexpected(status: u16) -> String {
    match status {
        300..=399 => format!(
            "the address redirects ({status}), and redirects are never followed: check the base URL"
        ),
        407 => "a proxy wants authentication (407): check the base URL and the network's proxy"
            .to_owned(),
        _ => format!(
            "Twilio documents no such status ({status}): check the base URL, and what stands between the exporter and Twilio"
        ),
    }
}

/// The texts of errors name the Email API and its credentials; a token endpoint has others.
fn token_trouble(error: &ApiError) -> String {
    match error {
        ApiError::Unauthorized => "Twilio does not accept the OAuth client: check that its id and secret belong together and were not revoked".to_owned(),
        ApiError::Forbidden => "the OAuth client may not have one (403): look at its rights at Twilio".to_owned(),
        ApiError::BadRequest { status } | ApiError::Unexpected { status } => {
            format!("the request for it is refused ({status}): check the token URL")
        }
        other => other.to_string(),
    }
}
