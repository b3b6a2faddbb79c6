//! Why requests to Twilio fail: what happened, why, and what to do. The log, errors and the page have these texts.

use std::fmt;
use std::time::Duration;

/// How an account authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Login {
    /// An API key's SID and its secret.
    ApiKey,
    /// The account's SID and its auth token.
    AuthToken,
    /// Access tokens of an OAuth client.
    OauthClient,
    /// Not known here.
    #[default]
    Unknown,
}

/// Why requests fail, as far as the user can do something about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestFailure {
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404 or 410 on the list of operations, with the status.
    NoList(u16),
    /// 400.
    BadRequest(u16),
    /// 3xx.
    Redirect(u16),
    /// 407.
    ProxyLogin,
    /// Another status that Twilio does not document.
    Undocumented(u16),
    /// 429.
    RateLimited,
    /// 502, 503 or 504.
    Unavailable(u16),
    /// 500 and other 5xx.
    ServerError(u16),
    /// No complete response in this time.
    Timeout(Duration),
    /// The name of the host cannot be resolved.
    UnknownHost,
    /// Nothing listens at the host's port.
    ConnectionRefused,
    /// The connection failed in another way; a fixed text.
    NoConnection(String),
    /// The TLS handshake failed; a fixed text.
    NoTls(String),
    /// No valid HTTP; a fixed text.
    NoHttp(String),
    /// A 200 that is not JSON of Twilio's Email API; a fixed text.
    NotTwilio(String),
    /// A response larger than any of Twilio's.
    TooLarge,
    /// Another page than the first one failed; a fixed text.
    BrokenList(String),
    /// There is no access token, for this reason.
    NoToken(Box<RequestFailure>),
}

impl Login {
    const fn noun(self) -> &'static str {
        match self {
            Self::ApiKey => "the API key",
            Self::AuthToken => "the auth token",
            Self::OauthClient => "the OAuth client",
            Self::Unknown => "the credentials",
        }
    }

    const fn why_rejected(self) -> &'static str {
        match self {
            Self::ApiKey => {
                "The key was revoked or deleted, or its SID and its secret do not belong together."
            }
            Self::AuthToken => {
                "The token was rotated, or the SID and the token are of different accounts."
            }
            Self::OauthClient => {
                "The client was revoked, or its id and its secret do not belong together."
            }
            Self::Unknown => {
                "The SID and the token, or the key and the secret, do not belong together or were revoked."
            }
        }
    }

    const fn renew(self) -> &'static str {
        match self {
            Self::ApiKey => {
                "Create a new key in the Twilio Console, and give its SID and its secret to the exporter. It reads a file with the secret again by itself; after a change of a variable, restart it."
            }
            Self::AuthToken => {
                "Copy the current auth token from the Twilio Console, and give it to the exporter. It reads a file with the token again by itself; after a change of a variable, restart it."
            }
            Self::OauthClient => {
                "Create a new secret for the client at Twilio, and give it to the exporter. It reads a file with the secret again by itself; after a change of a variable, restart it."
            }
            Self::Unknown => {
                "Check that SID and token, or key and secret, belong together and were not revoked."
            }
        }
    }
}

impl RequestFailure {
    /// What happened to the requests of `account`, as a sentence without its full stop. `None` leaves the account out.
    #[must_use]
    pub fn what(&self, login: Login, account: Option<&str>) -> String {
        let of = account.map_or(String::new(), |name| format!(" of account {name}"));
        let for_account = account.map_or(String::new(), |name| format!(" for account {name}"));
        match self {
            Self::Unauthorized => format!("Twilio rejects {}{of} (401)", login.noun()),
            Self::Forbidden => format!(
                "Twilio denies {}{of} access to the Email API (403)",
                login.noun()
            ),
            Self::NoList(status) => {
                format!("There is no list of operations{of} at the base URL ({status})")
            }
            Self::BadRequest(status) => format!("Twilio refuses the requests{of} ({status})"),
            Self::Redirect(status) => format!("The base URL{of} redirects ({status})"),
            Self::ProxyLogin => format!("A proxy requires authentication{for_account} (407)"),
            Self::Undocumented(status) => format!(
                "The base URL{of} returns a status that Twilio does not document ({status})"
            ),
            Self::RateLimited => format!("Twilio limits the rate of requests{of} (429)"),
            Self::Unavailable(status) => format!("Twilio is not available{for_account} ({status})"),
            Self::ServerError(status) => {
                format!("Twilio returns a server error{for_account} ({status})")
            }
            Self::Timeout(limit) => format!(
                "Twilio does not respond{for_account} within {} s",
                limit.as_secs_f64()
            ),
            Self::UnknownHost => {
                format!(
                    "Twilio cannot be reached{for_account}: the name of the host cannot be resolved"
                )
            }
            Self::ConnectionRefused => {
                format!("Twilio cannot be reached{for_account}: connection refused")
            }
            Self::NoConnection(why) => format!("Twilio cannot be reached{for_account}: {why}"),
            Self::NoTls(why) => format!("There is no TLS connection to Twilio{for_account}: {why}"),
            Self::NoHttp(why) => {
                format!("The base URL{of} does not respond with valid HTTP: {why}")
            }
            Self::NotTwilio(why) => format!(
                "The response of the base URL{of} does not match Twilio's documentation: {why}"
            ),
            Self::TooLarge => {
                format!("The response of the base URL{of} is larger than any of Twilio's")
            }
            Self::BrokenList(why) => format!("The list of operations{of} is incomplete: {why}"),
            Self::NoToken(cause) => match &**cause {
                Self::Unauthorized => {
                    format!("Twilio rejects the OAuth client{of} (401)")
                }
                Self::Forbidden => {
                    format!("Twilio gives the OAuth client{of} no access token (403)")
                }
                Self::BadRequest(status) | Self::Redirect(status) | Self::Undocumented(status) => {
                    format!("Twilio refuses the request for an access token{of} ({status})")
                }
                Self::NotTwilio(why) | Self::NoHttp(why) => {
                    format!("The token URL{of} returns no access token: {why}")
                }
                other => format!(
                    "There is no access token{for_account}. {}",
                    other.what(Login::OauthClient, None)
                ),
            },
        }
    }

    /// The likely cause, in sentences.
    #[must_use]
    pub fn cause(&self, login: Login) -> &'static str {
        match self {
            Self::Unauthorized => login.why_rejected(),
            Self::Forbidden => "The credentials are valid, but lack the right to read emails.",
            Self::NoList(_) | Self::BadRequest(_) | Self::NotTwilio(_) | Self::TooLarge => {
                "The server at this address is not Twilio's Email API, or the path is wrong."
            }
            Self::Redirect(_) => {
                "The address is not that of the API. The exporter never follows redirects."
            }
            Self::ProxyLogin | Self::Undocumented(_) => {
                "A proxy or a gateway between the exporter and Twilio responds."
            }
            Self::RateLimited => {
                "The requests of this exporter and of everything else that uses the account exceed Twilio's limit."
            }
            Self::Unavailable(_) | Self::ServerError(_) => {
                "Twilio, or a gateway in front of it, has an outage."
            }
            Self::Timeout(_) => "Twilio is slow, or a firewall drops packets.",
            Self::UnknownHost => {
                "The host in the base URL is misspelled, or DNS does not work on this machine."
            }
            Self::ConnectionRefused => {
                "Nothing listens at the host and the port of the base URL, or a firewall rejects the connection."
            }
            Self::NoConnection(_) => "The network between this machine and Twilio fails.",
            Self::NoTls(_) => {
                "The host is not Twilio's, a proxy decrypts TLS, or this machine's CA certificates are too old."
            }
            Self::NoHttp(_) => "The server at the base URL does not use HTTP.",
            Self::BrokenList(_) => "Twilio returned the first page and refused a later one.",
            Self::NoToken(cause) => match &**cause {
                Self::NotTwilio(_) | Self::NoHttp(_) | Self::TooLarge => {
                    "The server at this address is not Twilio's token endpoint."
                }
                other => other.cause(Login::OauthClient),
            },
        }
    }

    /// What to do, in sentences.
    #[must_use]
    pub fn cure(&self, login: Login) -> &'static str {
        match self {
            Self::Unauthorized => login.renew(),
            Self::Forbidden => "Give the API key access to Email, or use the auth token.",
            Self::NoList(_)
            | Self::BadRequest(_)
            | Self::Redirect(_)
            | Self::NotTwilio(_)
            | Self::NoHttp(_)
            | Self::TooLarge => {
                "Check the base URL (base_url, --twilio.base-url). Twilio's own is https://comms.twilio.com/v1."
            }
            Self::ProxyLogin | Self::Undocumented(_) => {
                "Check the base URL, and any proxy between the exporter and Twilio."
            }
            Self::RateLimited => {
                "If it ends soon, do nothing: the exporter pauses by itself. If it happens again and again, lower max_requests_per_second or scrape less often."
            }
            Self::Unavailable(_) | Self::ServerError(_) => {
                "Look at Twilio's status page. The exporter tries again by itself."
            }
            Self::Timeout(_) => {
                "Check the network and the firewall. If Twilio is slow, raise request_timeout."
            }
            Self::UnknownHost => {
                "Check the host in the base URL (base_url, --twilio.base-url), and DNS on this machine."
            }
            Self::ConnectionRefused => {
                "Check the host and the port of the base URL (base_url, --twilio.base-url), and the firewall."
            }
            Self::NoConnection(_) => "Check the network, the firewall and any proxy.",
            Self::NoTls(_) => {
                "Check the base URL, any proxy, this machine's clock and its certificates (package ca-certificates)."
            }
            Self::BrokenList(_) => {
                "Do nothing: the next collection reads the list from its beginning."
            }
            Self::NoToken(cause) => match &**cause {
                Self::Forbidden => "Check the client's rights at Twilio.",
                Self::BadRequest(_)
                | Self::Redirect(_)
                | Self::Undocumented(_)
                | Self::NotTwilio(_)
                | Self::NoHttp(_)
                | Self::TooLarge => "Check the token URL (token_url).",
                other => other.cure(Login::OauthClient),
            },
        }
    }

    /// Its stable name, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NoList(_) => "not_found",
            Self::BadRequest(_) | Self::Redirect(_) | Self::ProxyLogin | Self::Undocumented(_) => {
                "bad_request"
            }
            Self::RateLimited => "rate_limited",
            Self::Unavailable(_) => "unavailable",
            Self::ServerError(_) => "server_error",
            Self::Timeout(_) => "timeout",
            Self::UnknownHost | Self::ConnectionRefused | Self::NoConnection(_) => "connect",
            Self::NoTls(_) => "tls",
            Self::NoHttp(_) | Self::NotTwilio(_) | Self::BrokenList(_) => "invalid_response",
            Self::TooLarge => "too_large",
            Self::NoToken(cause) => cause.code(),
        }
    }

    /// The failure for a log line of an account that authenticates with `login`.
    #[must_use]
    pub fn explained(&self, login: Login) -> String {
        format!("{}. {}", self.what(login, None), self.cure(login))
    }

    /// The same for the list of emails, which needs a right of its own.
    #[must_use]
    pub fn explained_for_emails(&self, login: Login) -> String {
        if let Some(status) = self.refused_status() {
            return format!(
                "Twilio does not return the list of emails ({status}). {EMAILS_REFUSED_CURE}"
            );
        }
        match self {
            Self::BrokenList(why) => {
                format!(
                    "The list of emails is incomplete: {why}. {}",
                    self.cure(login)
                )
            }
            other => other.explained(login),
        }
    }

    /// The HTTP status of a refusal that may concern one list alone.
    pub(super) const fn refused_status(&self) -> Option<u16> {
        match self {
            Self::Forbidden => Some(403),
            Self::NoList(status) | Self::BadRequest(status) => Some(*status),
            _ => None,
        }
    }
}

/// What to do if Twilio refuses the list of emails.
pub(super) const EMAILS_REFUSED_CURE: &str = "Give the API key access to Email, or use the auth token; or switch off tags and the collector of emails (series.tags, collectors.emails).";

/// What happened and what to do, as an error's text.
impl fmt::Display for RequestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.explained(Login::Unknown))
    }
}
