//! The credentials of an account: one complete pair of a name and its secret.
//!
//! `Debug` shows neither half.

use std::fmt;

use url::Url;

use super::problem::Findings;
use super::secret::Secret;

/// How requests authenticate.
#[derive(Clone)]
pub enum Credentials {
    /// HTTP Basic: an API key's SID and its secret, or the account's SID and its auth token.
    Basic {
        /// The SID.
        username: Secret,
        /// The secret or the token.
        password: Secret,
    },
    /// Access tokens, which an OAuth client requests with its id and secret (RFC 6749, section 4.4).
    Client(OAuthClient),
}

/// An OAuth client and its token endpoint.
#[derive(Clone)]
pub struct OAuthClient {
    /// `client_id`.
    pub id: Secret,
    /// `client_secret`.
    pub secret: Secret,
    /// The token endpoint.
    pub token_url: Url,
}

/// The value at one place of a configuration.
pub(super) enum Field<T> {
    Absent,
    /// Invalid; a problem was reported.
    Invalid,
    Valid(T),
}

/// A name and its secret, each of which may be missing, and their places.
pub(super) struct Pair {
    pub(super) name: Field<Secret>,
    pub(super) name_place: String,
    pub(super) secret: Field<Secret>,
    pub(super) secret_place: String,
}

/// All credentials that are given for one account.
pub(super) struct Given {
    /// An API key.
    pub(super) key: Pair,
    /// An OAuth client.
    pub(super) client: Pair,
    /// The token endpoint of that client; `None` if a problem was reported.
    pub(super) token_url: Option<Url>,
    /// The account's SID and auth token.
    pub(super) token: Pair,
}

/// Names are hidden too: a name is half of a login.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { .. } => f.write_str("Basic([REDACTED])"),
            Self::Client(client) => client.fmt(f),
        }
    }
}

impl fmt::Debug for OAuthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OAuthClient([REDACTED])")
    }
}

impl<T> Field<T> {
    pub(super) const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// A value that was checked; `None` if that reported a problem.
    pub(super) fn checked(value: Option<T>) -> Self {
        value.map_or(Self::Invalid, Self::Valid)
    }
}

impl Pair {
    pub(super) const fn is_nothing(&self) -> bool {
        self.name.is_absent() && self.secret.is_absent()
    }

    /// Reports the missing half, if one is missing.
    fn report_half(&self, findings: &mut Findings) {
        let (missing, present) = match (self.name.is_absent(), self.secret.is_absent()) {
            (true, false) => (&self.name_place, &self.secret_place),
            (false, true) => (&self.secret_place, &self.name_place),
            _ => return,
        };
        let present = present.rsplit('.').next().unwrap_or(present);
        findings.problem(missing, format_args!("missing, but needed with {present}"));
    }

    fn complete(self) -> Option<(Secret, Secret)> {
        match (self.name, self.secret) {
            (Field::Valid(name), Field::Valid(secret)) => Some((name, secret)),
            _ => None,
        }
    }
}

impl Given {
    pub(super) const fn is_nothing(&self) -> bool {
        self.key.is_nothing() && self.client.is_nothing() && self.token.is_nothing()
    }

    /// Chooses one of the given pairs. Those that can be revoked alone have priority: an API key, then an OAuth client.
    ///
    /// An account's SID beside either is not an incomplete pair: many environments set it for all of Twilio's tools. `None` if a problem
    /// was reported.
    pub(super) fn choose(self, findings: &mut Findings) -> Option<Credentials> {
        let Self {
            key,
            client,
            token_url,
            token,
        } = self;
        key.report_half(findings);
        client.report_half(findings);
        let alone = key.is_nothing() && client.is_nothing();
        if alone || !token.secret.is_absent() {
            token.report_half(findings);
        }
        let names = [
            format!("the API key of {}", key.name_place),
            format!("the OAuth client of {}", client.name_place),
        ];
        let (client_place, token_place) = (client.name_place.clone(), token.secret_place.clone());
        let basic = |(username, password)| Credentials::Basic { username, password };
        let key = key.complete().map(basic);
        let client = client.complete().zip(token_url);
        let client = client.map(|((id, secret), token_url)| {
            Credentials::Client(OAuthClient {
                id,
                secret,
                token_url,
            })
        });
        let token = token.complete().map(basic);
        let mut unused = |preferred: &str, place: &str| {
            findings.notice(place, format_args!("not used: {preferred} has priority"));
        };
        if key.is_some() && client.is_some() {
            unused(&names[0], &client_place);
        }
        if token.is_some() && (key.is_some() || client.is_some()) {
            unused(&names[usize::from(key.is_none())], &token_place);
        }
        key.or(client).or(token)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    #[test]
    fn debug_shows_neither_half() {
        let secret = |text: &str| Secret::fixed(SecretString::from(text));
        let credentials = Credentials::Basic {
            username: secret("AC123"),
            password: secret("s3cret"),
        };
        assert_eq!(format!("{credentials:?}"), "Basic([REDACTED])");
        let credentials = Credentials::Client(OAuthClient {
            id: secret("id"),
            secret: secret("s3cret"),
            token_url: "https://127.0.0.1/token".parse().unwrap(),
        });
        assert_eq!(format!("{credentials:?}"), "OAuthClient([REDACTED])");
    }
}
