//! Classifies HTTP statuses (<https://www.twilio.com/docs/email/api/status-codes-and-errors>). It also parses the headers `Date`
//! and `Retry-After`.

use std::time::{Duration, UNIX_EPOCH};

use hyper::StatusCode;
use hyper::header::{DATE, HeaderMap, RETRY_AFTER};

use super::error::{ApiError, RetryAfter};
use crate::timestamp::Timestamp;

/// Classifies a status. Only 200 is a success.
pub(super) fn classify(status: StatusCode, headers: &HeaderMap) -> Result<(), ApiError> {
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
        201..=299 => ApiError::InvalidResponse("a success with an unexpected status"),
        400 => ApiError::BadRequest { status: code },
        _ => ApiError::Unexpected { status: code },
    })
}

/// The server's time: the `Date` header (RFC 9110, section 6.6.1), in whole seconds.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(DATE)?.to_str().ok()?)
}

/// `Retry-After` as delta seconds or as an HTTP date (RFC 9110, section 10.2.3). Anything else counts as missing.
///
/// A date is by the server's clock, so it is compared with the response's `Date`, or without one with the exporter's clock.
fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Some(seconds) = delta_seconds(text) {
        return Some(RetryAfter::In(Duration::from_secs(seconds)));
    }
    let until = http_date(text)?;
    Some(match date(headers) {
        Some(now) => RetryAfter::In(until.since(now)),
        None => RetryAfter::At(until),
    })
}

/// Whole seconds. A fraction, which the RFC does not allow, is rounded up; a number that is too large saturates.
fn delta_seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    // A text of digits fails to parse only if the number is too large.
    let seconds = whole.parse().unwrap_or(u64::MAX);
    let rounds_up = fraction.bytes().any(|byte| byte != b'0');
    Some(seconds.saturating_add(u64::from(rounds_up)))
}

fn http_date(text: &str) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    let millis = date.duration_since(UNIX_EPOCH).ok()?.as_millis();
    Some(Timestamp::from_millis(i64::try_from(millis).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classified(code: u16, after: Option<&'static str>) -> Result<(), ApiError> {
        let mut headers = HeaderMap::new();
        if let Some(after) = after {
            headers.insert(RETRY_AFTER, after.parse().unwrap());
        }
        classify(StatusCode::from_u16(code).unwrap(), &headers)
    }

    #[test]
    fn each_status_is_one_decision() {
        assert_eq!(classified(200, None), Ok(()));
        assert_eq!(classified(401, None), Err(ApiError::Unauthorized));
        assert_eq!(classified(403, None), Err(ApiError::Forbidden));
        assert_eq!(
            classified(404, None),
            Err(ApiError::NotFound { status: 404 })
        );
        assert_eq!(
            classified(410, None),
            Err(ApiError::NotFound { status: 410 })
        );
        assert_eq!(
            classified(400, None),
            Err(ApiError::BadRequest { status: 400 })
        );
        for status in [302, 402, 405, 407, 451] {
            assert_eq!(
                classified(status, None),
                Err(ApiError::Unexpected { status })
            );
        }
        assert_eq!(
            classified(500, None),
            Err(ApiError::ServerError { status: 500 })
        );
        assert_eq!(
            classified(501, Some("9")),
            Err(ApiError::ServerError { status: 501 })
        );
        assert!(matches!(
            classified(204, None),
            Err(ApiError::InvalidResponse(_))
        ));
    }

    /// The parsed `Retry-After` of a response with this `Date`.
    fn retry_after_of(after: &'static str, date: Option<&'static str>) -> Option<RetryAfter> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, after.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        retry_after(&headers)
    }

    fn seconds(seconds: u64) -> RetryAfter {
        RetryAfter::In(Duration::from_secs(seconds))
    }

    #[test]
    fn retry_after_is_parsed_for_every_status_that_pauses() {
        let retry_after = Some(seconds(120));
        assert_eq!(
            classified(429, Some("120")),
            Err(ApiError::RateLimited { retry_after })
        );
        for status in 502..=504 {
            assert_eq!(
                classified(status, Some("120")),
                Err(ApiError::Unavailable {
                    status,
                    retry_after
                })
            );
        }
    }

    #[test]
    fn retry_after_in_seconds_rounds_up_and_saturates() {
        for (text, expected) in [
            ("0", 0),
            (" 120 ", 120),
            ("60.5", 61),
            ("60.0", 60),
            ("0.001", 1),
            ("99999999999999999999", u64::MAX),
            ("99999999999999999999.9", u64::MAX),
        ] {
            assert_eq!(
                retry_after_of(text, None),
                Some(seconds(expected)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_retry_after_date_is_relative_to_the_servers_clock() {
        let until = "Sun, 05 Apr 2026 06:20:00 GMT";
        // The exporter's clock does not matter.
        for (date, expected) in [
            ("Sun, 05 Apr 2026 06:19:00 GMT", 60),
            ("Sunday, 05-Apr-26 06:10:00 GMT", 600),
            ("Sun Apr  5 06:30:00 2026", 0),
        ] {
            assert_eq!(
                retry_after_of(until, Some(date)),
                Some(seconds(expected)),
                "{date}"
            );
        }
        let moment = Some(RetryAfter::At("2026-04-05T06:20:00Z".parse().unwrap()));
        for date in [None, Some(""), Some("now"), Some("2026-04-05T06:19:00Z")] {
            assert_eq!(retry_after_of(until, date), moment, "{date:?}");
        }
    }

    #[test]
    fn an_invalid_retry_after_counts_as_missing() {
        for nonsense in [
            "", "soon", "-5", "+5", "1e3", ".5", "5.", "1.5.2", "1,5", "inf", "NaN",
        ] {
            assert_eq!(retry_after_of(nonsense, None), None, "{nonsense}");
        }
    }
}
