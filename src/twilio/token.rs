//! An access token: parses the response of the token endpoint (RFC 6749, section 5). It also determines how long the token is used.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use super::error::ApiError;

/// The largest response of a token endpoint, in bytes. A token has a few hundred characters, or 2,000 if it is signed.
pub(super) const LIMIT: usize = 64 * 1024;

/// A token is renewed when this share of its life is left, so that there is time for retries.
const MARGIN: u32 = 10;
/// The longest time before its end that a token is renewed.
const LONGEST_MARGIN: Duration = Duration::from_mins(1);
/// A token with a shorter life is used this long anyway; otherwise every request would need its own token.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest use of a token, whatever its life.
const LONGEST: Duration = Duration::from_hours(24);

/// A token and its life.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) text: SecretString,
    life: Option<Lifetime>,
}

/// The life of a token. It starts before the request, so that it never ends later than at Twilio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lifetime {
    from: Instant,
    span: Duration,
}

/// The age of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// To be used.
    Fresh,
    /// To be renewed; to be used if that fails.
    Due,
    /// Not to be used.
    Over,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    token_type: Option<String>,
    /// The life in seconds; some servers write it as a string.
    expires_in: Option<Value>,
}

#[derive(Deserialize)]
struct ErrorResponse {
    error: String,
}

impl Token {
    /// Parses the response to a request that was made at `requested`.
    pub(super) fn read(body: &[u8], requested: Instant) -> Result<Self, ApiError> {
        let response: TokenResponse = serde_json::from_slice(body)
            .map_err(|_| ApiError::InvalidResponse("no JSON object with an `access_token`"))?;
        let kind = response.token_type.as_deref().unwrap_or("bearer");
        if !kind.eq_ignore_ascii_case("bearer") {
            return Err(ApiError::InvalidResponse(
                "a token of another type than Bearer",
            ));
        }
        let text = response.access_token.as_str();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ApiError::InvalidResponse(
                "an `access_token` with a character that HTTP does not allow",
            ));
        }
        let span = response.expires_in.as_ref().and_then(seconds);
        Ok(Self {
            text: SecretString::from(response.access_token),
            life: span.map(|span| Lifetime {
                from: requested,
                span: span.clamp(SHORTEST, LONGEST),
            }),
        })
    }

    /// Its age at `now`. A token without a life is valid until Twilio rejects it.
    pub(super) fn age(&self, now: Instant) -> Age {
        self.life.map_or(Age::Fresh, |life| life.age(now))
    }
}

impl Lifetime {
    fn age(self, now: Instant) -> Age {
        let margin = (self.span / MARGIN).min(LONGEST_MARGIN);
        match now.saturating_duration_since(self.from) {
            elapsed if elapsed + margin < self.span => Age::Fresh,
            elapsed if elapsed < self.span => Age::Due,
            _ => Age::Over,
        }
    }
}

/// The meaning of a 400 of the token endpoint: `error`, unless the body has the code of a rejected client (RFC 6749, section 5.2).
pub(super) fn refusal(error: ApiError, body: &[u8]) -> ApiError {
    match serde_json::from_slice::<ErrorResponse>(body) {
        Ok(ErrorResponse { error })
            if matches!(&*error, "invalid_client" | "unauthorized_client") =>
        {
            ApiError::Unauthorized
        }
        _ => error,
    }
}

fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }?;
    // NaN is no duration, and a token with a negative life has expired.
    Duration::try_from_secs_f64(seconds.max(0.0).min(LONGEST.as_secs_f64())).ok()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// The seconds for which the token in `body` is fresh, and those for which it can be used.
    fn spans(expires_in: &str) -> (u64, u64) {
        let body = format!(r#"{{"access_token":"t","expires_in":{expires_in}}}"#);
        let requested = Instant::now();
        let token = Token::read(body.as_bytes(), requested).unwrap();
        let until = |age: fn(Age) -> bool| {
            (0..100_000)
                .find(|seconds| !age(token.age(requested + Duration::from_secs(*seconds))))
                .unwrap_or(u64::MAX)
        };
        (
            until(|age| age == Age::Fresh),
            until(|age| age != Age::Over),
        )
    }

    #[test]
    fn a_token_is_renewed_a_tenth_of_its_life_before_its_end_but_no_more_than_a_minute() {
        assert_eq!(spans("3600"), (3540, 3600));
        assert_eq!(spans("600"), (540, 600));
        assert_eq!(spans("100"), (90, 100));
        assert_eq!(spans("\"100\""), (90, 100));
        assert_eq!(spans("99.5"), (90, 100));
    }

    #[test]
    fn unusual_lives_are_limited() {
        for short in ["0", "-5", "0.001"] {
            assert_eq!(spans(short), (1, 1), "{short}");
        }
        for long in ["31536000", "1e300"] {
            assert_eq!(spans(long), (86_340, 86_400), "{long}");
        }
        for unknown in ["null", "\"soon\"", "[]", "true"] {
            assert_eq!(spans(unknown), (u64::MAX, u64::MAX), "{unknown}");
        }
    }

    #[test]
    fn only_a_bearer_token_that_fits_into_a_header_is_valid() {
        for right in [
            r#"{"access_token":"abc"}"#,
            r#"{"access_token":"abc","token_type":"Bearer","expires_in":3600,"scope":"x"}"#,
            r#"{"token_type":"bearer","access_token":"abc"}"#,
        ] {
            let token = Token::read(right.as_bytes(), Instant::now()).unwrap();
            assert_eq!(token.text.expose_secret(), "abc");
        }
        for wrong in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"access_token":7}"#,
            r#"{"access_token":""}"#,
            r#"{"access_token":"a b"}"#,
            r#"{"access_token":"a\nb"}"#,
            r#"{"access_token":"é"}"#,
            r#"{"access_token":"abc","token_type":"mac"}"#,
            "<html></html>",
        ] {
            let error = Token::read(wrong.as_bytes(), Instant::now()).unwrap_err();
            assert!(matches!(error, ApiError::InvalidResponse(_)), "{wrong}");
        }
    }

    #[test]
    fn a_400_is_about_the_client_only_with_the_error_invalid_client() {
        let bad = ApiError::BadRequest { status: 400 };
        let classified = |body: &str| refusal(bad.clone(), body.as_bytes());
        for client in ["invalid_client", "unauthorized_client"] {
            let body = format!(r#"{{"error":"{client}","error_description":"…"}}"#);
            assert_eq!(classified(&body), ApiError::Unauthorized);
        }
        for other in ["", "{}", r#"{"error":"invalid_scope"}"#, r#"{"error":7}"#] {
            assert_eq!(classified(other), bad, "{other}");
        }
    }
}
