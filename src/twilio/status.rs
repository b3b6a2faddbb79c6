//! From an HTTP status to a decision
//! (<https://www.twilio.com/docs/email/api/status-codes-and-errors>).

use std::time::{Duration, UNIX_EPOCH};

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::error::{ApiError, RetryAfter};
use crate::timestamp::Timestamp;

/// Says what a status means; only 200 is an answer.
pub(super) fn judge(status: StatusCode, headers: &HeaderMap) -> Result<(), ApiError> {
    let code = status.as_u16();
    Err(match code {
        200 => return Ok(()),
        401 => ApiError::Unauthorized,
        403 => ApiError::Forbidden,
        404 | 410 => ApiError::NotFound { status: code },
        429 => ApiError::RateLimited {
            retry_after: retry_after(headers),
        },
        502..=504 => ApiError::Unavailable {
            status: code,
            retry_after: retry_after(headers),
        },
        500..=599 => ApiError::ServerError { status: code },
        201..=299 => ApiError::InvalidResponse("a success without a body was not asked for"),
        400 => ApiError::BadRequest { status: code },
        _ => ApiError::Unexpected { status: code },
    })
}

/// `Retry-After` as delta seconds or as an HTTP date (RFC 9110, section 10.2.3); anything else is as if it were missing.
fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(RetryAfter::In(Duration::from_secs(seconds)));
    }
    http_date(text).map(RetryAfter::At)
}

/// The server's time when it answered (`Date`, RFC 9110, section 6.6.1).
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(DATE)?.to_str().ok()?.trim())
}

fn http_date(text: &str) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(text).ok()?;
    let millis = date.duration_since(UNIX_EPOCH).ok()?.as_millis();
    Some(Timestamp::from_millis(i64::try_from(millis).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(code: u16, after: Option<&'static str>) -> Result<(), ApiError> {
        let mut headers = HeaderMap::new();
        if let Some(after) = after {
            headers.insert(RETRY_AFTER, after.parse().unwrap());
        }
        judge(StatusCode::from_u16(code).unwrap(), &headers)
    }

    #[test]
    fn each_status_is_one_decision() {
        assert_eq!(judged(200, None), Ok(()));
        assert_eq!(judged(401, None), Err(ApiError::Unauthorized));
        assert_eq!(judged(403, None), Err(ApiError::Forbidden));
        assert_eq!(judged(404, None), Err(ApiError::NotFound { status: 404 }));
        assert_eq!(judged(410, None), Err(ApiError::NotFound { status: 410 }));
        assert_eq!(judged(400, None), Err(ApiError::BadRequest { status: 400 }));
        for status in [302, 402, 405, 407, 451] {
            assert_eq!(judged(status, None), Err(ApiError::Unexpected { status }));
        }
        assert_eq!(
            judged(500, None),
            Err(ApiError::ServerError { status: 500 })
        );
        assert_eq!(
            judged(501, Some("9")),
            Err(ApiError::ServerError { status: 501 })
        );
        assert!(matches!(
            judged(204, None),
            Err(ApiError::InvalidResponse(_))
        ));
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_nonsense_is_as_if_missing() {
        let seconds = Some(RetryAfter::In(Duration::from_mins(2)));
        assert_eq!(
            judged(429, Some("120")),
            Err(ApiError::RateLimited {
                retry_after: seconds
            })
        );
        let date = Some(RetryAfter::At("2026-04-05T06:20:00Z".parse().unwrap()));
        let answer = judged(503, Some("Sun, 05 Apr 2026 06:20:00 GMT"));
        assert_eq!(
            answer,
            Err(ApiError::Unavailable {
                status: 503,
                retry_after: date
            })
        );
        for nonsense in ["", "soon", "-5", "1.5", "99999999999999999999999999"] {
            assert_eq!(
                judged(429, Some(nonsense)),
                Err(ApiError::RateLimited { retry_after: None }),
                "{nonsense}"
            );
        }
    }
}
