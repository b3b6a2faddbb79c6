//! The failures of one request, with a variant per decision of the caller. No text contains anything from a response's body.

use std::time::Duration;

use crate::diagnosis::RequestFailure;
use crate::http::{CONNECTION_REFUSED, UNKNOWN_HOST};
use crate::reason::Reason;
use crate::timestamp::Timestamp;

/// Why a request to Twilio failed. No variant contains anything from a response's body, which may have personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// 401.
    #[error("{}", RequestFailure::Unauthorized)]
    Unauthorized,
    /// 403.
    #[error("{}", RequestFailure::Forbidden)]
    Forbidden,
    /// 404 or 410.
    #[error(
        "Twilio has no such operation ({status}): it belongs to another account, is not visible yet, or has expired. If this concerns all operations, check the base URL"
    )]
    NotFound {
        /// The HTTP status.
        status: u16,
    },
    /// 404 or 410 for an operation that expired or is about to expire.
    #[error("Twilio no longer returns the operation ({status}): it has expired")]
    Expired {
        /// The HTTP status.
        status: u16,
    },
    /// 400.
    #[error("{}", RequestFailure::BadRequest(*.status))]
    BadRequest {
        /// The HTTP status.
        status: u16,
    },
    /// A redirect, 407, or another undocumented status.
    #[error("{}", undocumented(*.status))]
    Unexpected {
        /// The HTTP status.
        status: u16,
    },
    /// Twilio rejects a later page of a list, although it returned the first one.
    #[error(
        "page {page} of the list failed: {cause}. The list starts again with the next collection"
    )]
    BrokenList {
        /// The page, from 1.
        page: usize,
        /// What the request for the page returned.
        cause: Box<ApiError>,
    },
    /// 429.
    #[error("{}", RequestFailure::RateLimited)]
    RateLimited {
        /// The value of `Retry-After`.
        retry_after: Option<RetryAfter>,
    },
    /// 502, 503 or 504.
    #[error("{}", RequestFailure::Unavailable(*.status))]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// The value of `Retry-After`.
        retry_after: Option<RetryAfter>,
    },
    /// 500 and other 5xx; Twilio documents not to retry.
    #[error("{}", RequestFailure::ServerError(*.status))]
    ServerError {
        /// The HTTP status.
        status: u16,
    },
    /// No complete response within the timeout.
    #[error("{}", RequestFailure::Timeout(*.0))]
    Timeout(Duration),
    /// The connection failed or was closed; a fixed text.
    #[error("{}", no_connection(.0))]
    Connect(String),
    /// The TLS handshake failed; a fixed text.
    #[error("{}", RequestFailure::NoTls(.0.clone()))]
    Tls(String),
    /// The server sent no valid HTTP; a fixed text.
    #[error("{}", RequestFailure::NoHttp(.0.clone()))]
    Protocol(String),
    /// A 200 that does not match Twilio's documentation.
    #[error("the response does not match Twilio's documentation: {0}")]
    InvalidResponse(&'static str),
    /// A response with impossible values of the operation.
    #[error("the response about the operation does not match Twilio's documentation: {0}")]
    Implausible(&'static str),
    /// An encoding that the request did not accept.
    #[error("the response has the encoding {0}; only gzip or none is accepted")]
    Encoding(&'static str),
    /// More bytes than any valid response has.
    #[error("the response is larger than {limit} bytes")]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// More rows than any requested page has.
    #[error("the page has more than {limit} rows")]
    TooManyRows {
        /// In rows.
        limit: usize,
    },
    /// No request was made: there is no access token.
    #[error("{}", without_token(.0))]
    NoToken(Box<ApiError>),
    /// No request was made: Twilio rejected these credentials, and their backoff has not finished.
    #[error(
        "not requested: Twilio rejected the credentials. The exporter tries them again at {retry_at}, and new ones immediately"
    )]
    LoginRejected {
        /// When they are tried again.
        retry_at: Timestamp,
    },
    /// No request was made: Twilio requested a pause.
    #[error("not requested: Twilio requested a pause until {until}")]
    Paused {
        /// The end of the pause.
        until: Timestamp,
    },
}

/// A parsed `Retry-After` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// Delta seconds.
    In(Duration),
    /// An HTTP date.
    At(Timestamp),
}

impl ApiError {
    /// The value of `reason` in `twilio_email_api_request_failures_total`; `None` during a pause. Without a token, and during the backoff
    /// of credentials, it is the reason of the failure that caused this.
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

    /// Whether this is a response about the requested resource, so that Twilio accepted the credentials.
    ///
    /// A wrong base URL has the same responses, so this proves nothing about the account if nothing else was read.
    #[must_use]
    pub const fn is_about_resource(&self) -> bool {
        matches!(
            self,
            Self::NotFound { status: 404 } | Self::Expired { .. } | Self::BadRequest { .. }
        )
    }

    /// Whether every other request of this account would fail in the same way now.
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

    /// Whether a request was made. Only made requests are counted.
    pub(super) const fn was_requested(&self) -> bool {
        !matches!(
            self,
            Self::NoToken(_) | Self::LoginRejected { .. } | Self::Paused { .. }
        )
    }

    /// Whether Twilio did not respond at all.
    #[must_use]
    pub const fn is_silence(&self) -> bool {
        matches!(
            self,
            Self::Timeout(_) | Self::Connect(_) | Self::Tls(_) | Self::Protocol(_)
        )
    }

    /// Whether this was logged elsewhere, because it is not about the requested resource.
    #[must_use]
    pub const fn is_logged_already(&self) -> bool {
        matches!(self, Self::NoToken(_) | Self::LoginRejected { .. })
    }

    /// The error of a request that was not made because this request for a token failed.
    #[must_use]
    pub(super) fn without_token(self) -> Self {
        match self {
            Self::Paused { .. } | Self::LoginRejected { .. } | Self::NoToken(_) => self,
            cause => Self::NoToken(Box::new(cause)),
        }
    }

    /// Whether Twilio rejects all requests to this endpoint until a right or a setting changes.
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

    /// The error of one page of a list. A list whose first page was read is not rejected as a whole.
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

    /// The failure of a list of operations, in words; `None` during a pause, which an earlier failure explains.
    #[must_use]
    pub fn of_list(&self) -> Option<RequestFailure> {
        Some(match self {
            Self::Unauthorized | Self::LoginRejected { .. } => RequestFailure::Unauthorized,
            Self::Forbidden => RequestFailure::Forbidden,
            Self::NotFound { status } | Self::Expired { status } => RequestFailure::NoList(*status),
            Self::BadRequest { status } => RequestFailure::BadRequest(*status),
            Self::Unexpected { status } => undocumented(*status),
            Self::BrokenList { page, .. } => {
                RequestFailure::BrokenList(format!("page {page} failed"))
            }
            Self::RateLimited { .. } => RequestFailure::RateLimited,
            Self::Unavailable { status, .. } => RequestFailure::Unavailable(*status),
            Self::ServerError { status } => RequestFailure::ServerError(*status),
            Self::Timeout(limit) => RequestFailure::Timeout(*limit),
            Self::Connect(why) => no_connection(why),
            Self::Tls(why) => RequestFailure::NoTls(why.clone()),
            Self::Protocol(why) => RequestFailure::NoHttp(why.clone()),
            Self::InvalidResponse(why) | Self::Implausible(why) => {
                RequestFailure::NotTwilio((*why).to_owned())
            }
            Self::Encoding(encoding) => {
                RequestFailure::NotTwilio(format!("the encoding {encoding}"))
            }
            Self::TooLarge { .. } | Self::TooManyRows { .. } => RequestFailure::TooLarge,
            Self::NoToken(cause) => without_token(cause),
            Self::Paused { .. } => return None,
        })
    }
}

/// A status that only a proxy, a gateway or another server returns.
const fn undocumented(status: u16) -> RequestFailure {
    match status {
        300..=399 => RequestFailure::Redirect(status),
        407 => RequestFailure::ProxyLogin,
        _ => RequestFailure::Undocumented(status),
    }
}

fn no_connection(why: &str) -> RequestFailure {
    match why {
        UNKNOWN_HOST => RequestFailure::UnknownHost,
        CONNECTION_REFUSED => RequestFailure::ConnectionRefused,
        _ => RequestFailure::NoConnection(why.to_owned()),
    }
}

/// There is no token, because the request for one failed with `error`.
fn without_token(error: &ApiError) -> RequestFailure {
    let cause = error.of_list().unwrap_or(RequestFailure::RateLimited);
    RequestFailure::NoToken(Box::new(cause))
}
