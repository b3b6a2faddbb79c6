//! Why a request to Twilio failed: a closed set, because it is a label.

/// The value of `reason` in `twilio_email_api_request_failures_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// 401: the credentials are wrong.
    Unauthorized,
    /// 403: the credentials lack a right.
    Forbidden,
    /// 404: no such operation, or not one of this account.
    NotFound,
    /// 404 or 410 for an operation older than Twilio keeps it.
    Expired,
    /// 400 and other 4xx: Twilio refuses the request as it is.
    BadRequest,
    /// 429: too many requests.
    RateLimited,
    /// 502, 503, 504: nobody is there to answer.
    Unavailable,
    /// 500 and other 5xx.
    ServerError,
    /// No answer within the time limit.
    Timeout,
    /// No connection, or it broke.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// An answer that is not what Twilio documents.
    InvalidResponse,
    /// An answer above the size limit.
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
