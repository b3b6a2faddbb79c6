//! The requests to Twilio: success, and the text of each failure.

use std::time::Instant;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use twilio_email_exporter::simulator::SimulatorSettings;

use super::*;
use crate::network::SecureTwilio;
use crate::support::exporter::{Exporter, account, account_at, one_account, operations};
use crate::support::scene::morning;
use crate::support::twilio::Twilio;

/// Everything that a request passes, in order.
const STEPS: [&str; 5] = [
    "connection",
    "response",
    "credentials",
    "list_operations",
    "read_operation",
];

async fn twilio() -> Twilio {
    let twilio = Twilio::empty().await;
    twilio.put(HOUR, json!({"total": 1, "delivered": 1}));
    twilio.put(2 * HOUR, json!({"total": 2, "delivered": 2}));
    twilio
}

#[tokio::test]
async fn an_account_that_works_passes_every_check_with_two_small_requests() {
    let twilio = twilio().await;
    let report = checked(&one_account(&twilio, "")).await;
    for step in STEPS {
        assert_eq!(only(&report, step).status, Status::Ok, "{report:#?}");
    }
    assert_eq!(only(&report, "clock").status, Status::Ok);
    assert_eq!(report.count(Status::Failed), 0);
    let requests = twilio.handle.requests();
    let paths: Vec<_> = requests.iter().map(|request| &request.path[..]).collect();
    assert_eq!(paths.len(), 2, "{paths:?}");
    assert!(paths[0].contains("pageSize=1"), "{paths:?}");
}

#[tokio::test]
async fn with_tags_alone_one_row_of_the_emails_of_an_operation_is_read() {
    let twilio = twilio().await;
    let yaml = one_account(&twilio, "") + "series: {tags: [campaign]}\n";
    let report = checked(&yaml).await;
    assert_eq!(only(&report, "list_emails").status, Status::Ok);
    assert_eq!(twilio.handle.counts().emails, 1);
    let requests = twilio.handle.requests();
    let path = &requests[2].path;
    assert!(
        path.contains("pageSize=1") && path.contains("operationId="),
        "{path}"
    );
    // Tags need no list of all emails.
    twilio.fault("unfiltered-emails=403");
    let report = checked(&yaml).await;
    assert_eq!(only(&report, "list_emails").status, Status::Ok);
    twilio.fault("emails=403");
    let report = checked(&yaml).await;
    let words = "does not return the list of emails of account default (403)";
    fails(&report, "list_emails", words);
}

#[tokio::test]
async fn with_tags_alone_and_no_operation_no_list_of_emails_is_read() {
    let twilio = Twilio::empty().await;
    let yaml = one_account(&twilio, "") + "series: {tags: [campaign]}\n";
    let report = checked(&yaml).await;
    assert_eq!(only(&report, "list_emails").status, Status::Skipped);
    assert_eq!(twilio.handle.counts().emails, 0);
}

#[tokio::test]
async fn with_the_collector_of_emails_the_list_of_all_is_tried_and_then_that_of_an_operation() {
    let twilio = twilio().await;
    let yaml = one_account(&twilio, "") + "collectors: {emails: {enabled: true}}\n";
    let report = checked(&yaml).await;
    assert_eq!(only(&report, "list_emails").status, Status::Ok);
    let emails = || {
        let requests = twilio.handle.requests().into_iter();
        let paths = requests.map(|request| request.path);
        let emails: Vec<_> = paths.filter(|path| path.contains("/Emails?")).collect();
        twilio.handle.reset_requests();
        emails
    };
    let requested = emails();
    assert_eq!(requested.len(), 1, "{requested:?}");
    assert!(requested[0].contains("pageSize=1") && !requested[0].contains("operationId"));
    // The collector goes on with the lists of single operations.
    for status in [400, 403, 404] {
        twilio.fault(&format!("unfiltered-emails={status}"));
        let report = checked(&yaml).await;
        let result = only(&report, "list_emails");
        assert_eq!(result.status, Status::Warning, "{status}: {result:?}");
        assert!(result.what.contains(&format!("({status})")), "{result:?}");
        assert!(result.cause.contains("single operations"), "{result:?}");
        let requested = emails();
        assert!(
            requested.len() == 2 && requested[1].contains("operationId=comms_operation_"),
            "{requested:?}"
        );
        twilio.handle.clear_faults();
    }
    // Nothing of emails can be read.
    twilio.fault("emails=403");
    let report = checked(&yaml).await;
    let words = "does not return the list of emails of account default (403)";
    let result = fails(&report, "list_emails", words);
    assert!(result.cause.contains("single emails and tags are missing"));
    twilio.handle.clear_faults();
    // A failure that is no refusal is none of a missing right.
    twilio.fault("emails=500");
    let report = checked(&yaml).await;
    assert_eq!(only(&report, "list_emails").status, Status::Failed);
    assert_eq!(
        emails()
            .iter()
            .filter(|path| path.contains("operationId"))
            .count(),
        1
    );
}

#[tokio::test]
async fn each_failure_fails_one_check_in_the_words_of_the_page() {
    for (fault, check) in [
        ("401", "credentials"),
        ("403", "list_operations"),
        ("list=403", "list_operations"),
        ("404", "response"),
        ("html", "response"),
        ("500", "response"),
        ("503", "response"),
        ("429", "response"),
        ("close", "connection"),
        ("list=500", "list_operations"),
    ] {
        let twilio = twilio().await;
        let id = twilio.put(HOUR, json!({"total": 3, "delivered": 3}));
        let yaml = one_account(&twilio, &operations(&[id]));
        let exporter = Exporter::start(&yaml).await.settled().await;
        twilio.fault(fault);
        let report = checked(&yaml).await;
        let result = fails(&report, check, "");
        exporter.scrape().await;
        exporter.scrape().await;
        let page = exporter.client.get(exporter.url("/"));
        let page = page.header("Accept", "application/json").send().await;
        let page: Value = serde_json::from_str(&page.unwrap().text().await.unwrap()).unwrap();
        let finding = &page["findings"][0];
        assert_eq!(finding["what"], result.what, "{fault}");
        assert_eq!(finding["cause"], result.cause, "{fault}");
        let cure = finding["cure"].as_str().unwrap();
        assert!(cure.starts_with(&result.cure), "{fault}: {cure}");
        assert_eq!(result.code, finding["code"].as_str(), "{fault}");
    }
}

#[tokio::test]
async fn what_follows_a_failure_is_skipped() {
    let twilio = twilio().await;
    twilio.fault("401");
    let report = checked(&one_account(&twilio, "")).await;
    assert_eq!(only(&report, "response").status, Status::Ok);
    let skipped = with_status(&report, Status::Skipped);
    assert_eq!(skipped, ["list_operations", "read_operation"]);
    assert_eq!(twilio.handle.counts().total, 1, "no further request");
}

#[tokio::test]
async fn an_unreachable_twilio_an_unknown_name_and_wrong_tls_are_different_failures() {
    let refused = account_at("a", "http://127.0.0.1:1/v1", "");
    let report = checked(&format!("accounts:\n{refused}")).await;
    fails(&report, "connection", "connection refused");
    let unknown = account_at("a", "http://name.invalid/v1", "");
    let report = checked(&format!("accounts:\n{unknown}")).await;
    fails(&report, "name_resolution", "cannot be resolved");
    let twilio = twilio().await;
    let url = twilio.base_url().replace("http:", "https:");
    let report = checked(&format!("accounts:\n{}", account_at("a", &url, ""))).await;
    fails(&report, "connection", "the server does not use TLS");
}

#[tokio::test]
async fn a_certificate_is_trusted_only_by_the_accounts_authorities() {
    let secure = SecureTwilio::start().await;
    let account = |more| account_at("a", &secure.base_url(), more);
    let report = checked(&format!("accounts:\n{}", account(""))).await;
    fails(&report, "connection", "signed by an unknown authority");
    let setup = Setup::new("");
    setup.files.write("ca.pem", &secure.authority.pem());
    let yaml = format!("accounts:\n{}", account("ca_file: ca.pem"));
    setup.files.write("config.yml", &yaml);
    let report = setup.check().await;
    assert_eq!(report.count(Status::Failed), 0, "{report:#?}");
    let connection = only(&report, "connection");
    assert!(
        connection.what.ends_with("a TLS connection"),
        "{connection:?}"
    );
}

#[tokio::test]
async fn servers_that_hang_end_the_check_at_the_timeout_side_by_side() {
    // It accepts connections and never responds.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", silent.local_addr().unwrap());
    let accounts: String = (0..20)
        .map(|n| account_at(&format!("a{n}"), &url, "request_timeout: 500ms"))
        .collect();
    let began = Instant::now();
    let report = checked(&format!("accounts:\n{accounts}")).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    let failed = with_status(&report, Status::Failed);
    assert_eq!(failed, ["connection"; 20]);
    let names: Vec<_> = report
        .sections
        .iter()
        .filter_map(|section| section.area.account())
        .collect();
    let expected: Vec<_> = (0..20).map(|n| format!("a{n}")).collect();
    assert_eq!(names, expected, "in the order of the configuration");
    let first = report.results().find(|result| result.check == "connection");
    let what = &first.unwrap().what;
    assert!(what.ends_with("within 0.5 s"), "{what}");
}

#[tokio::test]
async fn a_slow_rate_of_requests_does_not_delay_the_check() {
    let twilio = twilio().await;
    let slow = one_account(&twilio, "").replace(
        "max_requests_per_second: 100000",
        "max_requests_per_second: 0.01",
    );
    let began = Instant::now();
    assert_eq!(checked(&slow).await.count(Status::Failed), 0);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_refused_client_and_a_refused_token_are_different_failures() {
    let twilio = twilio().await;
    let account = |url: &str| {
        format!(
            "accounts:\n- name: a\n  base_url: {}\n  oauth: {{client_id: OQ0, client_secret_file: token, token_url: '{url}'}}\n",
            twilio.base_url()
        )
    };
    let token_url = format!("http://{}/v2/token", twilio.address);
    let report = checked(&account(&token_url)).await;
    assert_eq!(report.count(Status::Failed), 0, "{report:#?}");
    assert_eq!(only(&report, "token").status, Status::Ok);
    twilio.fault("token=401");
    let report = checked(&account(&token_url)).await;
    fails(
        &report,
        "token",
        "Twilio rejects the OAuth client of account a (401)",
    );
    twilio.handle.clear_faults();
    let report = checked(&account("http://127.0.0.1:1/v2/token")).await;
    fails(&report, "token", "There is no access token for account a");
    twilio.fault("list=401");
    twilio.fault("operation=401");
    let report = checked(&account(&token_url)).await;
    fails(&report, "credentials", "(401)");
    assert_eq!(only(&report, "token").status, Status::Ok);
}

#[tokio::test]
async fn a_clock_that_is_an_hour_wrong_fails_in_the_words_of_the_page() {
    let theirs = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), theirs.clone()).await;
    let mut setup = Setup::new(&one_account(&twilio, ""));
    setup.clock = Clock::manual(theirs.now() + Duration::from_mins(50));
    let report = setup.check().await;
    let what = &only(&report, "clock").what;
    assert_eq!(what, "This machine's clock and Twilio's differ by 3000 s");
    assert_eq!(report.count(Status::Failed), 0);
    setup.clock = Clock::manual(theirs.now() + 2 * HOUR);
    let report = setup.check().await;
    let clock = fails(&report, "clock", "Correct the clock: check NTP.");
    assert_eq!(
        clock.what,
        "This machine's clock is 2h 0m ahead of Twilio's"
    );
    assert_eq!(clock.code, Some("wrong_clock"));
}

#[tokio::test]
async fn without_any_operation_the_right_to_read_one_is_checked_all_the_same() {
    let twilio = Twilio::empty().await;
    let yaml = one_account(&twilio, "");
    let read = checked(&yaml).await;
    let read = only(&read, "read_operation");
    assert_eq!(read.status, Status::Ok, "{read:?}");
    twilio.fault("operation=403");
    fails(&checked(&yaml).await, "read_operation", "(403)");
}

#[tokio::test]
async fn an_operation_of_another_account_is_a_warning() {
    let twilio = twilio().await;
    let id = twilio_email_exporter::simulator::operation_id(Clock::System.now() - HOUR, 99);
    let report = checked(&one_account(&twilio, &operations(&[id]))).await;
    let read = only(&report, "read_operation");
    assert_eq!(read.status, Status::Warning);
    assert_eq!(
        read.what,
        format!("Operation {id} of account default cannot be read")
    );
    assert!(
        read.cause.contains("belongs to another account"),
        "{read:?}"
    );
}

#[tokio::test]
async fn without_discovery_a_refused_list_is_no_failure() {
    let twilio = twilio().await;
    let id = twilio.put(HOUR, json!({"total": 1}));
    let more = format!("{}\ndiscovery: false", operations(&[id]));
    let yaml = one_account(&twilio, &more);
    twilio.fault("list=403");
    let report = checked(&yaml).await;
    assert_eq!(report.count(Status::Failed), 0, "{report:#?}");
    assert_eq!(only(&report, "list_operations").status, Status::Skipped);
    assert_eq!(only(&report, "read_operation").status, Status::Ok);
    twilio.handle.clear_faults();
    twilio.fault("401");
    let words = "rejects the auth token";
    fails(&checked(&yaml).await, "credentials", words);
}

#[tokio::test]
async fn one_account_that_fails_affects_no_other() {
    let [fine, refused] = [twilio().await, twilio().await];
    refused.fault("401");
    let yaml = format!(
        "accounts:\n{}{}",
        account("refused", &refused, ""),
        account("fine", &fine, "")
    );
    let report = checked(&yaml).await;
    let failed = |name| {
        let mut sections = report.sections.iter();
        let section = sections.find(|section| section.area.account() == Some(name));
        let results = section.unwrap().results.iter();
        results
            .filter(|result| result.status == Status::Failed)
            .count()
    };
    assert_eq!((failed("refused"), failed("fine")), (1, 0));
}
