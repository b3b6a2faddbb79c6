//! The exporter's own metrics as text.

use super::*;
use crate::exposition::Syntax;

const BUILD: Build<'static> = Build {
    version: "1.2.3",
    revision: "abcdef0",
};

fn encoded(instruments: &Instruments) -> String {
    let mut out = Vec::new();
    instruments.encode(&mut Text::new(&mut out, Syntax::Text));
    String::from_utf8(out).unwrap()
}

#[test]
fn metrics_of_accounts_are_absent_before_there_is_an_account() {
    let text = encoded(&Instruments::new(BUILD).unwrap());
    assert!(text.contains(
        "\ntwilio_email_exporter_build_info{revision=\"abcdef0\",version=\"1.2.3\"} 1\n"
    ));
    assert!(text.contains("\ntwilio_email_exporter_config_last_reload_successful 0\n"));
    assert!(!text.contains("twilio_email_api_"));
    assert_eq!(
        text.contains("\nprocess_start_time_seconds "),
        cfg!(target_os = "linux")
    );
}

#[test]
fn requests_are_counted_by_status_and_failure() {
    let instruments = Instruments::new(BUILD).unwrap();
    let account = instruments.account("default");
    account.request(Endpoint::Operation, Some(200), Duration::from_millis(80));
    account
        .clone()
        .request(Endpoint::Operation, Some(200), Duration::from_millis(90));
    account.request(Endpoint::Token, None, Duration::from_secs(40));
    account.failure(Endpoint::Token, Reason::Timeout);
    let text = encoded(&instruments);
    for line in [
        "requests_total{account=\"default\",code=\"200\",endpoint=\"operation\"} 2",
        "requests_total{account=\"default\",code=\"none\",endpoint=\"token\"} 1",
        "request_failures_total{account=\"default\",endpoint=\"token\",reason=\"timeout\"} 1",
        "request_failures_total{account=\"default\",endpoint=\"operations\",reason=\"tls\"} 0",
        "request_duration_seconds_bucket{account=\"default\",endpoint=\"operation\",le=\"0.05\"} 0",
        "request_duration_seconds_bucket{account=\"default\",endpoint=\"operation\",le=\"0.1\"} 2",
        "request_duration_seconds_bucket{account=\"default\",endpoint=\"token\",le=\"30\"} 0",
        "request_duration_seconds_bucket{account=\"default\",endpoint=\"token\",le=\"+Inf\"} 1",
    ] {
        let line = format!("\ntwilio_email_api_{line}\n");
        assert!(text.contains(&line), "no {line} in:\n{text}");
    }
    for line in [
        "requests_total{account=\"default\",code=\"429\",endpoint=\"operations\"} 0",
        "requests_total{account=\"default\",code=\"none\",endpoint=\"operation\"} 0",
        "request_duration_seconds_count{account=\"default\",endpoint=\"operations\"} 0",
    ] {
        let line = format!("\ntwilio_email_api_{line}\n");
        assert!(
            text.contains(&line),
            "not 0 from the start: {line} in:\n{text}"
        );
    }
    let failures = text.matches("\ntwilio_email_api_request_failures_total{");
    assert_eq!(failures.count(), 2 * Reason::ALL.len() + 1);
}

/// The crate identifies series by a hash of their label values, joined without a separator. Two series with different account
/// names collide only if the other values of one end with those of the other.
#[test]
fn no_account_name_makes_two_series_the_same() {
    use Endpoint::{Emails, Operation, Operations, Token};
    let endings = |lasts: &[&str]| -> Vec<String> {
        let endpoints = [Operation, Operations, Emails, Token].map(Endpoint::as_str);
        let ending = |endpoint| lasts.iter().map(move |last| format!("{endpoint}{last}"));
        endpoints.into_iter().flat_map(ending).collect()
    };
    let reasons = Reason::ALL.map(Reason::as_str);
    for family in [&[""][..], &reasons, &[NO_CODE, "200", "404", "429", "500"]] {
        let endings = endings(family);
        for (a, one) in endings.iter().enumerate() {
            for (b, other) in endings.iter().enumerate() {
                assert!(
                    a == b || !one.ends_with(other.as_str()),
                    "{one} and {other}"
                );
            }
        }
    }
}

#[test]
fn a_removed_account_has_no_series() {
    let instruments = Instruments::new(BUILD).unwrap();
    for name in ["gone", "kept"] {
        let account = instruments.account(name);
        account.request(Endpoint::Operations, Some(429), Duration::from_millis(5));
    }
    instruments.forget_account("gone");
    let text = encoded(&instruments);
    assert!(!text.contains("gone"), "{text}");
    assert!(text.contains("_total{account=\"kept\",code=\"429\",endpoint=\"operations\"} 1\n"));
}

#[test]
fn a_rejected_configuration_keeps_the_time_of_the_last_successful_load() {
    let instruments = Instruments::new(BUILD).unwrap();
    instruments.config_loaded(Timestamp::from_millis(1_775_368_800_500));
    instruments.config_rejected();
    let text = encoded(&instruments);
    assert!(text.contains("_config_last_reload_successful 0\n"));
    assert!(text.contains("_config_last_reload_success_timestamp_seconds 1775368800.5\n"));
}

#[test]
fn every_metric_about_the_exporter_is_exposed() {
    let instruments = Instruments::new(BUILD).unwrap();
    instruments.show_state().unwrap();
    instruments.show_web_config().unwrap();
    let text = encoded(&instruments);
    for metric in ALL.iter().filter(|metric| metric.scope == Scope::Exporter) {
        let header = format!(
            "# HELP {0} {1}\n# TYPE {0} {2}\n",
            metric.name,
            metric.help,
            metric.kind.as_str()
        );
        assert!(text.contains(&header), "{header}");
    }
}
