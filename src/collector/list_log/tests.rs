//! One cause is one line, whichever readers meet it and in whichever order.

use std::time::Duration;

use super::*;
use crate::ongoing_failure::log::Log;
use ListReader::{AllEmails, Emails, Operations, Tags};

const MINUTE: Duration = Duration::from_mins(1);

struct Scene {
    lists: ListLog,
    log: Log,
    _guard: tracing::subscriber::DefaultGuard,
}

impl Scene {
    fn new() -> Self {
        let (log, guard) = Log::start();
        Self {
            lists: ListLog::new("default".into()),
            log,
            _guard: guard,
        }
    }

    /// How many lines a failure adds.
    fn fail(&self, reader: ListReader, error: &ApiError) -> usize {
        self.lists.failed(reader, error, Login::ApiKey);
        self.log.take().len()
    }

    fn succeed(&self, reader: ListReader) -> usize {
        self.lists.succeeded(reader);
        self.log.take().len()
    }
}

fn timeout() -> ApiError {
    ApiError::Timeout(Duration::from_secs(10))
}

const FAILS: ApiError = ApiError::ServerError { status: 500 };

#[tokio::test(start_paused = true)]
async fn no_response_is_one_line_whoever_meets_it_first() {
    let limited = ApiError::RateLimited { retry_after: None };
    for error in [timeout(), limited, ApiError::Unauthorized] {
        for order in [
            [Operations, Tags, Emails],
            [Emails, Tags, Operations],
            [Tags, Operations, Emails],
        ] {
            let scene = Scene::new();
            let begin = order.map(|reader| scene.fail(reader, &error));
            assert_eq!(begin, [1, 0, 0], "{order:?} {error}");
            assert_eq!(order.map(|reader| scene.fail(reader, &error)), [0; 3]);
            let end = order.map(|reader| scene.succeed(reader));
            assert_eq!(end, [1, 0, 0], "{order:?} {error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tags_and_emails_share_one_line_about_their_list() {
    for error in [ApiError::Forbidden, FAILS] {
        let scene = Scene::new();
        let lines = [AllEmails, Tags, Emails].map(|reader| scene.fail(reader, &error));
        // A failing list of a single operation means more than a failing list of all emails.
        assert_eq!(lines, [1, 1, 0], "{error}");
        let lines = [Tags, AllEmails, Emails].map(|reader| scene.fail(reader, &error));
        assert_eq!(lines, [0; 3], "{error}");
        let lines = [Emails, Tags, AllEmails].map(|reader| scene.succeed(reader));
        assert_eq!(lines, [0, 1, 0], "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_cause_has_a_line_of_its_own() {
    let scene = Scene::new();
    assert_eq!(scene.fail(Tags, &ApiError::Forbidden), 1);
    // Emails are refused. That says nothing about operations.
    assert_eq!(scene.fail(Operations, &ApiError::Forbidden), 1);
    assert_eq!(scene.fail(Emails, &FAILS), 1, "another reason");
    assert_eq!(scene.fail(Tags, &FAILS), 0, "the same list and reason");
    assert_eq!(scene.succeed(Operations), 1);
    assert_eq!(scene.succeed(Tags), 0, "the line of emails stands for it");
    assert_eq!(scene.succeed(Emails), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_of_one_list_once_another_list_responds() {
    let scene = Scene::new();
    assert_eq!(scene.fail(Emails, &timeout()), 1);
    assert_eq!(scene.succeed(Operations), 0);
    assert_eq!(scene.fail(Operations, &timeout()), 1, "operations, too");
    assert_eq!(scene.succeed(Emails), 1);
    // Now the failure of operations is of their list alone.
    assert_eq!(scene.fail(Emails, &timeout()), 1);
    // A single read that succeeds is as good as the list.
    let scene = Scene::new();
    assert_eq!(scene.fail(Tags, &timeout()), 1);
    scene.lists.operation_read();
    assert_eq!(scene.fail(Operations, &timeout()), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cause_that_lasts_is_logged_once_an_hour_by_whoever_meets_it() {
    let scene = Scene::new();
    let mut lines = 0;
    for minute in 0..180 {
        // The reader that logged it first does not come back.
        let readers: &[_] = if minute == 0 {
            &[Tags]
        } else {
            &[Emails, Operations]
        };
        for reader in readers {
            lines += scene.fail(*reader, &timeout());
        }
        assert_eq!(lines, 1 + minute / 60, "minute {minute}");
        tokio::time::advance(MINUTE).await;
    }
    let end = [Tags, Operations, Emails].map(|reader| scene.succeed(reader));
    assert_eq!(end, [0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_requested_and_what_is_switched_off_has_no_line() {
    let scene = Scene::new();
    let until = crate::timestamp::Timestamp::default();
    for error in [
        ApiError::Paused { until },
        ApiError::LoginRejected { retry_at: until },
        ApiError::NoToken(Box::new(ApiError::Unauthorized)),
    ] {
        assert_eq!(scene.fail(Emails, &error), 0, "{error}");
        assert_eq!(scene.succeed(Emails), 0, "{error}");
    }
    assert_eq!(scene.fail(Emails, &timeout()), 1);
    scene.lists.forget(Emails);
    assert_eq!(scene.fail(Operations, &timeout()), 1);
    assert_eq!(scene.succeed(Emails), 0);
}

#[test]
fn a_refused_list_of_emails_is_logged_with_its_own_cure() {
    let scene = Scene::new();
    let line = |reader, error: &ApiError| {
        scene.lists.forget(reader);
        scene.lists.failed(reader, error, Login::ApiKey);
        scene.log.take().concat()
    };
    for error in [ApiError::Forbidden, ApiError::NotFound { status: 404 }] {
        let line = line(Emails, &error);
        for part in [
            "does not return the list of emails (40",
            "collectors.emails",
        ] {
            assert!(line.contains(part), "no {part} in {line}");
        }
    }
    let broken = |reader| {
        let cause = Box::new(ApiError::Forbidden);
        line(reader, &ApiError::BrokenList { page: 3, cause })
    };
    assert!(broken(Tags).contains("The list of emails is incomplete: page 3 failed"));
    assert!(broken(Operations).contains("The list of operations is incomplete: page 3 failed"));
}
