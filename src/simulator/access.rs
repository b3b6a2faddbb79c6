//! The credentials that the simulated account accepts: Basic, Bearer, and access tokens issued to OAuth clients. Without any configured
//! credentials it accepts every user name with a password.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::settings::{ApiSettings, BasicLogin};
use crate::timestamp::Timestamp;

/// The most issued tokens that are kept. A test issues a few; a load test with short-lived tokens issues many.
const MOST_TOKENS: usize = 1000;

/// The accepted credentials.
#[derive(Debug, Clone, Default)]
pub(super) struct Access {
    pub(super) logins: Vec<BasicLogin>,
    pub(super) tokens: Vec<String>,
    pub(super) clients: Vec<BasicLogin>,
    pub(super) token_life: Duration,
    issued: Vec<Issued>,
    /// The number of tokens issued so far.
    count: u64,
}

/// An access token that was issued to a client.
#[derive(Debug, Clone)]
struct Issued {
    token: String,
    until: Timestamp,
}

impl Access {
    pub(super) fn of(settings: &ApiSettings) -> Self {
        Self {
            logins: settings.logins.clone(),
            tokens: settings.tokens.clone(),
            clients: settings.clients.clone(),
            token_life: settings.token_life,
            ..Self::default()
        }
    }

    /// Issues a token to `client`; `None` if the client is unknown.
    pub(super) fn issue(&mut self, client: &BasicLogin, now: Timestamp) -> Option<String> {
        let known = if self.clients.is_empty() {
            !client.username.is_empty() && !client.password.is_empty()
        } else {
            self.clients.contains(client)
        };
        if !known {
            return None;
        }
        self.count += 1;
        let token = format!("simulated-access-token-{}", self.count);
        if self.issued.len() == MOST_TOKENS {
            self.issued.remove(0);
        }
        self.issued.push(Issued {
            token: token.clone(),
            until: now + self.token_life,
        });
        Some(token)
    }

    /// Revokes all issued tokens.
    pub(super) fn revoke(&mut self) {
        self.issued.clear();
    }

    /// Whether no credentials are configured.
    const fn is_open(&self) -> bool {
        self.logins.is_empty() && self.tokens.is_empty() && self.clients.is_empty()
    }

    /// Whether the request's credentials are accepted.
    pub(super) fn accepts(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        let Some((scheme, credentials)) = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
        else {
            return false;
        };
        if scheme.eq_ignore_ascii_case("bearer") {
            let issued = |issued: &Issued| issued.token == credentials && now < issued.until;
            return self.tokens.iter().any(|token| token == credentials)
                || self.issued.iter().any(issued);
        }
        scheme.eq_ignore_ascii_case("basic")
            && basic(credentials).is_some_and(|login| {
                if self.is_open() {
                    !login.username.is_empty() && !login.password.is_empty()
                } else {
                    self.logins.contains(&login)
                }
            })
    }
}

fn basic(credentials: &str) -> Option<BasicLogin> {
    let text = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    Some(BasicLogin::new(username, password))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);

    fn accepts(access: &Access, authorization: &str) -> bool {
        accepts_at(access, authorization, NOW)
    }

    fn accepts_at(access: &Access, authorization: &str, now: Timestamp) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization.parse().unwrap());
        access.accepts(&headers, now)
    }

    #[test]
    fn without_credentials_every_user_name_with_a_password_is_accepted() {
        let anyone = Access::default();
        assert!(!anyone.accepts(&HeaderMap::new(), NOW));
        assert!(accepts(
            &anyone,
            &format!("Basic {}", STANDARD.encode("AC1:x:y"))
        ));
        for wrong in [":x", "AC1:", "AC1"] {
            let wrong = format!("Basic {}", STANDARD.encode(wrong));
            assert!(!accepts(&anyone, &wrong), "{wrong}");
        }
        assert!(!accepts(&anyone, "Basic %%%") && !accepts(&anyone, "Bearer t"));
    }

    #[test]
    fn only_configured_credentials_are_accepted() {
        let some = Access {
            logins: vec![BasicLogin::new("AC1", "x:y")],
            tokens: vec!["t".to_owned()],
            ..Access::default()
        };
        assert!(accepts(
            &some,
            &format!("Basic {}", STANDARD.encode("AC1:x:y"))
        ));
        assert!(!accepts(
            &some,
            &format!("Basic {}", STANDARD.encode("AC1:x"))
        ));
        assert!(accepts(&some, "Bearer t") && !accepts(&some, "Bearer u"));
    }

    #[test]
    fn a_token_is_valid_until_it_expires_or_is_revoked() {
        let client = BasicLogin::new("id", "s");
        let mut access = Access {
            clients: vec![client.clone()],
            token_life: Duration::from_secs(10),
            ..Access::default()
        };
        assert_eq!(access.issue(&BasicLogin::new("id", "t"), NOW), None);
        let [first, second] = [(); 2].map(|()| access.issue(&client, NOW).unwrap());
        assert_ne!(first, second);
        let bearer = format!("Bearer {first}");
        assert!(accepts_at(&access, &bearer, NOW + Duration::from_secs(9)));
        assert!(!accepts_at(&access, &bearer, NOW + Duration::from_secs(10)));
        access.revoke();
        assert!(!accepts(&access, &bearer));
        let basic = format!("Basic {}", STANDARD.encode("id:s"));
        assert!(
            !accepts(&access, &basic),
            "configured clients exclude others"
        );
    }
}
