//! An access token: what the token endpoint says (RFC 6749, section 5), and for how long the token is good.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use super::error::ApiError;

/// The largest answer of a token endpoint that is read. A token has a few hundred characters, or two thousand if it is signed.
pub(super) const LIMIT: usize = 64 * 1024;

/// The share of its life that a token is renewed before its end: time to try again while it still works.
const MARGIN: u32 = 10;
/// For a token of an hour or more this is enough.
const LONGEST_MARGIN: Duration = Duration::from_mins(1);
/// A token that is said to live shorter is used for so long all the same, or every request would need one of its own.
const SHORTEST: Duration = Duration::from_secs(1);
/// None is used for longer, whatever is said of it.
const LONGEST: Duration = Duration::from_hours(24);

/// A token, and for how long it is good.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) text: SecretString,
    life: Option<Lifetime>,
}

/// Counted from before the token was asked for, so that it ends no later than Twilio thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lifetime {
    from: Instant,
    span: Duration,
}

/// How far a token's life has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// To be used.
    Fresh,
    /// To be renewed, and to be used if that fails.
    Due,
    /// Of no use.
    Over,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    token_type: Option<String>,
    /// A number of seconds; some servers write it as a string.
    expires_in: Option<Value>,
}

#[derive(Deserialize)]
struct ErrorResponse {
    error: String,
}

impl Token {
    /// Reads the answer to a request that was made at `asked`.
    pub(super) fn read(body: &[u8], asked: Instant) -> Result<Self, ApiError> {
        let answer: TokenResponse = serde_json::from_slice(body)
            .map_err(|_| ApiError::InvalidResponse("no JSON object with an `access_token`"))?;
        let kind = answer.token_type.as_deref().unwrap_or("bearer");
        if !kind.eq_ignore_ascii_case("bearer") {
            return Err(ApiError::InvalidResponse("a token that is no Bearer token"));
        }
        let text = answer.access_token.as_str();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ApiError::InvalidResponse(
                "an `access_token` that fits in no header",
            ));
        }
        let span = answer.expires_in.as_ref().and_then(seconds);
        Ok(Self {
            text: SecretString::from(answer.access_token),
            life: span.map(|span| Lifetime {
                from: asked,
                span: span.clamp(SHORTEST, LONGEST),
            }),
        })
    }

    /// How far its life has gone at `now`. One that nobody said an end of is good until it is refused.
    pub(super) fn age(&self, now: Instant) -> Age {
        self.life.map_or(Age::Fresh, |life| life.age(now))
    }
}

impl Lifetime {
    fn age(self, now: Instant) -> Age {
        let margin = (self.span / MARGIN).min(LONGEST_MARGIN);
        match now.saturating_duration_since(self.from) {
            gone if gone + margin < self.span => Age::Fresh,
            gone if gone < self.span => Age::Due,
            _ => Age::Over,
        }
    }
}

/// What a 400 of the token endpoint means: `error`, unless its body says that it is the client who is not wanted
/// (RFC 6749, section 5.2).
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
    // NaN and what is too large are no length; what is negative is over.
    Duration::try_from_secs_f64(seconds.max(0.0).min(LONGEST.as_secs_f64())).ok()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// For how many seconds a token of such a life is fresh, and for how many it can be used.
    fn spans(expires_in: &str) -> (u64, u64) {
        let body = format!(r#"{{"access_token":"t","expires_in":{expires_in}}}"#);
        let asked = Instant::now();
        let token = Token::read(body.as_bytes(), asked).unwrap();
        let until = |age: fn(Age) -> bool| {
            (0..100_000)
                .find(|seconds| !age(token.age(asked + Duration::from_secs(*seconds))))
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
    fn strange_lives_are_kept_within_bounds() {
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
    fn only_a_bearer_token_that_fits_in_a_header_is_one() {
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
    fn a_400_is_about_the_client_only_if_it_says_so() {
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
