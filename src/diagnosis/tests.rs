//! The findings for every fact, and their texts.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::clock_skew::ClockSkew;
use crate::timestamp::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);
const EARLIER: Timestamp = Timestamp::from_millis(1_775_360_000_000);

fn all_failures() -> Vec<RequestFailure> {
    use RequestFailure as F;
    let why = || "why".to_owned();
    let mut all = vec![
        F::Unauthorized,
        F::Forbidden,
        F::NoList(404),
        F::BadRequest(400),
        F::Redirect(302),
        F::ProxyLogin,
        F::Undocumented(418),
        F::RateLimited,
        F::Unavailable(503),
        F::ServerError(500),
        F::Timeout(Duration::from_secs(10)),
        F::UnknownHost,
        F::ConnectionRefused,
        F::NoConnection(why()),
        F::NoTls(why()),
        F::NoHttp(why()),
        F::NotTwilio(why()),
        F::TooLarge,
        F::BrokenList(why()),
    ];
    let tokens: Vec<_> = all
        .iter()
        .filter(|failure| !matches!(failure, F::NoList(_) | F::BrokenList(_)))
        .map(|failure| F::NoToken(Box::new(failure.clone())))
        .collect();
    all.extend(tokens);
    all
}

/// The facts of an account that works.
fn facts() -> AccountFacts {
    AccountFacts {
        name: "marketing".into(),
        login: Login::ApiKey,
        host: "comms.example.com".to_owned(),
        has_collected: true,
        up: true,
        is_durable: true,
        ..AccountFacts::default()
    }
}

fn since<T>(what: T) -> Ongoing<T> {
    Ongoing { what, since: NOW }
}

fn only(facts: &AccountFacts) -> Finding {
    let mut findings = account(facts);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings.remove(0)
}

#[test]
fn each_failure_reads_as_what_it_is_and_names_the_account() {
    let mut seen = BTreeSet::new();
    for failure in all_failures() {
        let facts = AccountFacts {
            up: false,
            failure: Some(since(failure.clone())),
            ..facts()
        };
        let finding = only(&facts);
        assert!(
            finding.what.contains("account marketing"),
            "{}",
            finding.what
        );
        assert_eq!(finding.since, Some(NOW));
        for text in [&finding.cause, &finding.cure] {
            let starts = text.starts_with(|c: char| c.is_ascii_uppercase());
            assert!(starts && text.ends_with('.'), "{failure:?}: {text}");
        }
        let explained = failure.explained(Login::ApiKey);
        assert!(!explained.contains("account marketing"), "{explained}");
        assert!(seen.insert(explained) || matches!(failure, RequestFailure::NoToken(_)));
    }
}

#[test]
fn the_log_and_the_page_say_the_same() {
    let facts = AccountFacts {
        up: false,
        list_failure: Some(since(RequestFailure::Unauthorized)),
        next_login_at: Some(NOW + Duration::from_mins(1)),
        ..facts()
    };
    let finding = only(&facts);
    assert_eq!(
        finding.what,
        "Twilio rejects the API key of account marketing (401)"
    );
    assert!(
        finding.cure.contains("tries again at 06:21 UTC"),
        "{}",
        finding.cure
    );
    let logged = RequestFailure::Unauthorized.explained(Login::ApiKey);
    let cure = logged
        .strip_prefix("Twilio rejects the API key (401). ")
        .unwrap();
    assert!(finding.cure.starts_with(cure), "{logged}");
}

#[test]
fn an_account_that_works_has_no_finding() {
    assert_eq!(account(&facts()), []);
    let starting = AccountFacts {
        name: "a".into(),
        ..AccountFacts::default()
    };
    assert_eq!(account(&starting), []);
    assert_eq!(exporter(&ExporterFacts::default()), []);
}

#[test]
fn a_failing_list_is_less_than_a_failing_account() {
    let list = AccountFacts {
        list_failure: Some(since(RequestFailure::Forbidden)),
        ..facts()
    };
    let finding = only(&list);
    assert!(
        finding.cause.contains("Single operations can be read"),
        "{}",
        finding.cause
    );
    let down = AccountFacts { up: false, ..list };
    assert!(only(&down).what.contains("denies the API key"));
}

#[test]
fn a_pause_says_until_when_and_is_a_warning() {
    let paused = AccountFacts {
        up: false,
        paused_until: Some(Ongoing {
            what: NOW + Duration::from_mins(2),
            since: EARLIER,
        }),
        ..facts()
    };
    let other_requests = only(&paused);
    let list = AccountFacts {
        list_failure: Some(since(RequestFailure::RateLimited)),
        ..paused
    };
    for finding in [other_requests, only(&list)] {
        assert_eq!(finding.severity, Severity::Warning);
        assert_eq!(finding.code, "rate_limited");
        assert!(finding.since.is_some());
        assert!(
            finding.cure.ends_with("no request until 06:22 UTC."),
            "{}",
            finding.cure
        );
    }
}

#[test]
fn each_other_fact_is_a_finding_of_its_own() {
    let skew = ClockSkew::between(NOW, NOW + Duration::from_hours(30));
    let all = AccountFacts {
        incomplete_since: Some(NOW),
        wrong_clock: Some(since(skew)),
        unsaved: Some(since(Some(
            "cannot write to data: No space left on device".to_owned(),
        ))),
        unreadable: Some(since(3)),
        broken_sources: vec![BrokenSource {
            source: "a.yml".into(),
            error: "it is not text (UTF-8)".to_owned(),
            since: NOW,
        }],
        without_series: Some(since(7)),
        most_series: 1000,
        ..facts()
    };
    let findings = account(&all);
    let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
    let expected = [
        "wrong_clock",
        "unsaved",
        "broken_source",
        "unreadable_operations",
        "series_limit",
    ];
    assert_eq!(codes, expected, "the worst first");
    for finding in &findings {
        assert_eq!(finding.account.as_deref(), Some("marketing"));
        assert_eq!(finding.since, Some(NOW), "{}", finding.code);
    }
    assert!(findings[0].what.contains("1d 6h ahead of Twilio's"));
    assert!(findings[1].cause.starts_with("Cannot write to data"));
    assert_eq!(findings[2].cause, "It is not text (UTF-8).");
    assert!(findings[3].what.starts_with("3 operations"));
    let incomplete = AccountFacts {
        incomplete_since: Some(EARLIER),
        budget_left: Some(0),
        ..facts()
    };
    let incomplete = only(&incomplete);
    assert!(incomplete.cause.contains("budget"));
    assert_eq!(incomplete.since, Some(EARLIER));
}

#[test]
fn the_exporters_own_failures_are_findings() {
    let findings = exporter(&ExporterFacts {
        failed_reload: Some(FailedReload {
            problems: (0..8).map(|n| format!("accounts[{n}]: wrong")).collect(),
            since: NOW,
        }),
        rebuilt_since: Some(NOW),
        file_lost_since: Some(NOW),
        memory_only_since: Some(NOW),
        not_scraped_since: Some(NOW),
    });
    let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
    let expected = [
        "reload_failed",
        "not_scraped",
        "registry_rebuilt",
        "state_file_lost",
        "memory_only",
    ];
    assert_eq!(codes, expected);
    let cause = &findings[0].cause;
    let lines: Vec<_> = cause.lines().collect();
    assert_eq!(lines[0], "The configuration has 8 problems:");
    assert_eq!(lines[1], "accounts[0]: wrong");
    assert_eq!(lines.len(), 7, "{cause}");
    assert_eq!(lines[6], "The log has the other 3.");
    for finding in &findings {
        assert_eq!(finding.since, Some(NOW), "{}", finding.code);
    }
}

#[test]
fn what_all_accounts_share_is_one_finding_about_the_exporter() {
    let full = |since| {
        let error = "cannot write to data: No space left on device".to_owned();
        let unsaved = Some(Ongoing {
            what: Some(error),
            since,
        });
        AccountFacts { unsaved, ..facts() }
    };
    let rejected = |name: &str| AccountFacts {
        name: name.into(),
        up: false,
        failure: Some(since(RequestFailure::Unauthorized)),
        ..facts()
    };
    let all = [
        full(NOW + Duration::from_mins(1)),
        rejected("one"),
        full(NOW),
        rejected("other"),
    ];
    let findings = merged(all.iter().flat_map(account).collect());
    let accounts: Vec<_> = findings
        .iter()
        .map(|finding| (finding.code, finding.account.as_deref()))
        .collect();
    let expected = [
        ("unsaved", None),
        ("unauthorized", Some("one")),
        ("unauthorized", Some("other")),
    ];
    assert_eq!(accounts, expected);
    assert_eq!(findings[0].since, Some(NOW), "since the first began");
}
