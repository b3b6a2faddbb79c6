//! The reasons why a request to Twilio failed. The set is closed, because a reason is the value of a label: every failure maps to
//! one of them.

/// The value of `reason` in `twilio_email_api_request_failures_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// 401: the credentials are wrong.
    Unauthorized,
    /// 403: the credentials lack a right.
    Forbidden,
    /// 404: no such operation, or not one of this account.
    NotFound,
    /// 404 or 410 for an operation that was created more than 7 days ago.
    Expired,
    /// 400 and other 4xx: Twilio does not accept this request.
    BadRequest,
    /// 429: too many requests.
    RateLimited,
    /// 502, 503, 504: Twilio is unavailable.
    Unavailable,
    /// 500 and other 5xx.
    ServerError,
    /// No response within the time limit.
    Timeout,
    /// The connection failed or broke.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// A response that does not match Twilio's documentation.
    InvalidResponse,
    /// A response above the size limit.
    TooLarge,
}

impl Reason {
    /// The closed set.
    pub const ALL: [Self; 13] = [
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Expired,
        Self::BadRequest,
        Self::RateLimited,
        Self::Unavailable,
        Self::ServerError,
        Self::Timeout,
        Self::Connect,
        Self::Tls,
        Self::InvalidResponse,
        Self::TooLarge,
    ];

    /// The label's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Expired => "expired",
            Self::BadRequest => "bad_request",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::ServerError => "server_error",
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::InvalidResponse => "invalid_response",
            Self::TooLarge => "too_large",
        }
    }
}
