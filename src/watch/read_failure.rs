//! Decides what a failed read means for the watch: try again, or end with the cause and the cure. Failures that another read cannot
//! change end it.

use std::time::Duration;

use super::followed::Followed;
use crate::diagnosis::{Login, RequestFailure};
use crate::operation::OperationId;
use crate::timestamp::Timestamp;
use crate::twilio::ApiError;

/// An operation that is younger may not be visible yet: a script follows it right after the send.
const YOUNG: Duration = Duration::from_mins(1);
/// If no response of Twilio's was ever read since the start, the watch ends after this many failures in a row: the address is probably
/// wrong. A single failure may be a broken connection.
const MOST_FIRST_FAILURES: u32 = 3;

/// What a failed read means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Consequence {
    /// It is tried again; with the failure in words.
    Retry(String),
    /// Twilio no longer returns the operation. Its last stats stay.
    Expired,
    /// The watch ends; with the failure, its cause and the cure.
    End(String),
}

/// The facts about the account that decide what a failure means.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) account: &'a str,
    pub(super) login: Login,
    /// The host of the base URL.
    pub(super) host: &'a str,
    /// Whether Twilio returned any operation since the start.
    pub(super) has_read: bool,
    /// When the watch began.
    pub(super) began: Timestamp,
    pub(super) now: Timestamp,
}

/// The consequence of `error`, which a read of `operation` returned.
pub(super) fn consequence(error: &ApiError, operation: &Followed, facts: &Facts) -> Consequence {
    match error {
        ApiError::Expired { .. } if operation.is_read() => Consequence::Expired,
        ApiError::Expired { status } => Consequence::End(expired(operation.id(), *status)),
        ApiError::NotFound { status } if is_young(operation, facts) => Consequence::Retry(format!(
            "Twilio does not return operation {} yet ({status})",
            operation.id()
        )),
        ApiError::NotFound { status } => {
            Consequence::End(unknown(operation.id(), *status, facts.account))
        }
        // The failure that began the pause was reported.
        ApiError::Paused { .. } => Consequence::Retry(limited(facts)),
        error => {
            let failure = error.of_list().unwrap_or(RequestFailure::RateLimited);
            if is_final(&failure, operation.failures, facts.has_read) {
                Consequence::End(explained(&failure, facts))
            } else {
                Consequence::Retry(failure.what(facts.login, Some(facts.account)))
            }
        }
    }
}

/// The failure during a pause that Twilio requested.
pub(super) fn limited(facts: &Facts) -> String {
    RequestFailure::RateLimited.what(facts.login, Some(facts.account))
}

/// Whether a further read would fail in the same way.
fn is_final(failure: &RequestFailure, failures: u32, has_read: bool) -> bool {
    use RequestFailure as F;
    match failure {
        F::Unauthorized | F::Forbidden | F::NoList(_) | F::BadRequest(_) | F::ProxyLogin => true,
        F::RateLimited | F::Unavailable(_) | F::ServerError(_) | F::Timeout(_) => false,
        // After a success, the response is probably a gateway's or a maintenance page.
        F::Redirect(_) | F::Undocumented(_) => !has_read,
        F::NotTwilio(_)
        | F::TooLarge
        | F::BrokenList(_)
        | F::UnknownHost
        | F::ConnectionRefused
        | F::NoConnection(_)
        | F::NoTls(_)
        | F::NoHttp(_) => !has_read && failures + 1 >= MOST_FIRST_FAILURES,
        F::NoToken(cause) => is_final(cause, failures, has_read),
    }
}

/// Whether Twilio may not return it yet. The time in an id is Twilio's, and this machine's clock may be behind, so the watch's own age
/// counts, too.
fn is_young(operation: &Followed, facts: &Facts) -> bool {
    !operation.is_read()
        && facts.now.since(operation.id().created()) < YOUNG
        && facts.now.since(facts.began) < YOUNG
}

/// The failure with its cause and its cure, as the exporter's pages and its log have them.
fn explained(failure: &RequestFailure, facts: &Facts) -> String {
    let (what, cause, cure) = (
        failure.what(facts.login, Some(facts.account)),
        failure.cause(facts.login),
        failure.cure(facts.login),
    );
    let place = match failure {
        RequestFailure::Unauthorized | RequestFailure::Forbidden | RequestFailure::NoToken(_) => {
            String::new()
        }
        _ => format!(" The base URL names {}.", facts.host),
    };
    format!("{what}. {cause}{place} {cure}")
}

fn unknown(id: OperationId, status: u16, account: &str) -> String {
    format!(
        "Twilio returns no operation {id} in account {account} ({status}). The id is of another account or subaccount, or it was \
         copied wrong. Check the id, and give --account the account that sent it. If this concerns all operations, check the base URL."
    )
}

fn expired(id: OperationId, status: u16) -> String {
    format!(
        "Twilio no longer returns operation {id} ({status}): it was created at {}, more than 7 days ago. Watch a newer one; the \
         counters of the exporter include old ones.",
        id.created()
    )
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const ID: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";

    fn operation() -> Followed {
        Followed::new(ID.parse().unwrap(), Instant::now())
    }

    fn facts(age: Duration) -> Facts<'static> {
        let created = operation().id().created();
        Facts {
            account: "marketing",
            login: Login::ApiKey,
            host: "comms.example.com",
            has_read: false,
            began: created,
            now: created + age,
        }
    }

    fn old() -> Facts<'static> {
        facts(Duration::from_hours(1))
    }

    fn end(error: &ApiError, facts: &Facts) -> String {
        match consequence(error, &operation(), facts) {
            Consequence::End(text) => text,
            other => panic!("{error:?}: {other:?}"),
        }
    }

    #[test]
    fn a_failure_that_stays_ends_the_watch_with_the_texts_of_the_diagnosis() {
        let rejected = end(&ApiError::Unauthorized, &old());
        let failure = RequestFailure::Unauthorized;
        assert!(rejected.starts_with("Twilio rejects the API key of account marketing (401). "));
        assert!(rejected.contains(failure.cause(Login::ApiKey)));
        assert!(rejected.ends_with(failure.cure(Login::ApiKey)));
        let denied = end(&ApiError::Forbidden, &old());
        assert!(
            denied.contains("(403)")
                && denied.ends_with(RequestFailure::Forbidden.cure(Login::ApiKey))
        );
        let wrong = end(&ApiError::Unexpected { status: 302 }, &old());
        assert!(
            wrong.contains("The base URL names comms.example.com."),
            "{wrong}"
        );
        let no_token = ApiError::NoToken(Box::new(ApiError::Unauthorized));
        assert!(end(&no_token, &old()).contains("(401)"));
        let unknown = end(&ApiError::NotFound { status: 404 }, &old());
        assert!(
            unknown.contains(ID) && unknown.contains("--account"),
            "{unknown}"
        );
        let expired = end(&ApiError::Expired { status: 404 }, &old());
        assert!(expired.contains("2023-06-14T16:40:03.066Z"), "{expired}");
    }

    #[test]
    fn a_failure_of_the_moment_is_tried_again() {
        for error in [
            ApiError::Timeout(Duration::from_secs(10)),
            ApiError::ServerError { status: 500 },
            ApiError::RateLimited { retry_after: None },
            ApiError::Connect("why".to_owned()),
            ApiError::NoToken(Box::new(ApiError::Timeout(Duration::from_secs(10)))),
            ApiError::Paused { until: old().now },
        ] {
            let next = consequence(&error, &operation(), &old());
            assert!(matches!(next, Consequence::Retry(_)), "{error:?}: {next:?}");
        }
    }

    #[test]
    fn an_address_that_never_responded_ends_the_watch_after_some_failures() {
        let error = ApiError::Connect(crate::http::UNKNOWN_HOST.to_owned());
        let mut operation = operation();
        operation.failures = MOST_FIRST_FAILURES - 1;
        let mut facts = old();
        let next = consequence(&error, &operation, &facts);
        assert!(matches!(next, Consequence::End(text) if text.contains("cannot be resolved")));
        facts.has_read = true;
        let next = consequence(&error, &operation, &facts);
        assert!(matches!(next, Consequence::Retry(_)), "{next:?}");
    }

    #[test]
    fn an_operation_that_was_just_sent_may_not_be_visible_yet() {
        let error = ApiError::NotFound { status: 404 };
        let young = consequence(&error, &operation(), &facts(YOUNG / 2));
        assert!(matches!(young, Consequence::Retry(text) if text.contains("yet (404)")));
        let old = consequence(&error, &operation(), &facts(YOUNG));
        assert!(matches!(old, Consequence::End(_)));
        // This machine's clock is far behind, and the watch is old.
        let mut behind = facts(Duration::ZERO);
        behind.began = behind.now - YOUNG;
        assert!(matches!(
            consequence(&error, &operation(), &behind),
            Consequence::End(_)
        ));
    }
}
