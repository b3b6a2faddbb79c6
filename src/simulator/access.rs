//! Who may ask.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::settings::Login;

/// Whom the account lets in.
#[derive(Debug, Clone)]
pub(super) struct Access {
    pub(super) logins: Vec<Login>,
    pub(super) tokens: Vec<String>,
}

impl Access {
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        let Some((scheme, credentials)) = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
        else {
            return false;
        };
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.tokens.iter().any(|token| token == credentials);
        }
        scheme.eq_ignore_ascii_case("basic")
            && basic(credentials).is_some_and(|login| {
                if self.logins.is_empty() && self.tokens.is_empty() {
                    !login.username.is_empty() && !login.password.is_empty()
                } else {
                    self.logins.contains(&login)
                }
            })
    }
}

fn basic(credentials: &str) -> Option<Login> {
    let text = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    Some(Login::new(username, password))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(access: &Access, authorization: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization.parse().unwrap());
        access.admits(&headers)
    }

    #[test]
    fn without_settings_anyone_with_name_and_password_may_ask() {
        let anyone = Access {
            logins: vec![],
            tokens: vec![],
        };
        assert!(!anyone.admits(&HeaderMap::new()));
        assert!(admits(
            &anyone,
            &format!("Basic {}", STANDARD.encode("AC1:x:y"))
        ));
        for wrong in [":x", "AC1:", "AC1"] {
            let wrong = format!("Basic {}", STANDARD.encode(wrong));
            assert!(!admits(&anyone, &wrong), "{wrong}");
        }
        assert!(!admits(&anyone, "Basic %%%") && !admits(&anyone, "Bearer t"));
    }

    #[test]
    fn with_settings_only_those() {
        let some = Access {
            logins: vec![Login::new("AC1", "x:y")],
            tokens: vec!["t".to_owned()],
        };
        assert!(admits(
            &some,
            &format!("Basic {}", STANDARD.encode("AC1:x:y"))
        ));
        assert!(!admits(
            &some,
            &format!("Basic {}", STANDARD.encode("AC1:x"))
        ));
        assert!(admits(&some, "Bearer t") && !admits(&some, "Bearer u"));
    }
}
