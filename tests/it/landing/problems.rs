//! Problems: they come first, with cause and cure.

use super::*;

#[tokio::test]
async fn each_failure_of_twilio_is_shown_with_its_cause() {
    for (fault, words) in [
        (
            "401",
            "Twilio rejects the auth token of account marketing (401)",
        ),
        (
            "403",
            "Twilio denies the auth token of account marketing access to the Email API (403)",
        ),
        (
            "429:retry-after=60",
            "Twilio limits the rate of requests of account marketing (429)",
        ),
        (
            "503:retry-after=60",
            "Twilio is not available for account marketing (503)",
        ),
        (
            "500",
            "Twilio returns a server error for account marketing (500)",
        ),
        (
            "html",
            "The response of the base URL of account marketing does not match Twilio",
        ),
        (
            "404",
            "There is no list of operations of account marketing at the base URL (404)",
        ),
        (
            "list=403",
            "Twilio denies the auth token of account marketing access to the Email API (403)",
        ),
    ] {
        let twilio = Twilio::empty().await;
        twilio.fault(fault);
        let yaml = format!("accounts:\n{}", account("marketing", &twilio, ""));
        let exporter = Exporter::start(&yaml).await.settled().await;
        let shown = facts(&exporter, "/").await;
        let finding = &shown["findings"][0];
        let what = finding["what"].as_str().unwrap();
        assert!(what.starts_with(words), "{fault}: {shown}");
        assert!(finding["since"].is_string(), "{fault}: {shown}");
        assert_eq!(finding["account"], "marketing", "{fault}");
        let page = text(&exporter, "/").await;
        let escaped = words.replace('\'', "&#39;");
        assert!(page.contains(&escaped), "{fault}: {page}");
        assert!(page.contains("What to do: "), "{fault}: {page}");
        assert!(!page.contains("The exporter works"), "{fault}");
    }
}

#[tokio::test]
async fn an_unreachable_server_a_wrong_name_and_another_protocol_are_different_problems() {
    let twilio = Twilio::empty().await;
    let tls = twilio.base_url().replace("http://", "https://");
    let yaml = format!(
        "accounts:\n{}{}{}",
        account_at("refused", "http://127.0.0.1:1/v1", ""),
        account_at("unknown", "http://no-such-host.invalid/v1", ""),
        account_at("plain", &tls, ""),
    );
    let exporter = Exporter::start(&yaml).await.settled().await;
    let shown = facts(&exporter, "/").await;
    for (account, words) in [
        (
            "refused",
            "cannot be reached for account refused: connection refused",
        ),
        (
            "unknown",
            "cannot be reached for account unknown: the name of the host",
        ),
        (
            "plain",
            "no TLS connection to Twilio for account plain: the server does not use TLS",
        ),
    ] {
        let findings = shown["findings"].as_array().unwrap();
        let finding = findings
            .iter()
            .find(|finding| finding["account"] == account);
        let what = finding.unwrap()["what"].as_str().unwrap();
        assert!(what.contains(words), "{shown}");
    }
}

#[tokio::test]
async fn a_failure_that_ended_is_no_longer_shown() {
    let twilio = Twilio::empty().await;
    twilio.fault("500");
    let exporter = Exporter::watching(&twilio).await.settled().await;
    let first = facts(&exporter, "/").await;
    exporter.scrape().await;
    let second = facts(&exporter, "/").await;
    assert_eq!(
        first["findings"][0]["since"],
        second["findings"][0]["since"]
    );
    twilio.handle.clear_faults();
    exporter.scrape().await;
    let shown = facts(&exporter, "/").await;
    let codes: Vec<_> = shown["findings"].as_array().unwrap().iter().collect();
    assert!(
        codes.iter().all(|finding| finding["code"] == "memory_only"),
        "{shown}"
    );
    assert!(text(&exporter, "/").await.contains("The exporter works"));
}

#[tokio::test]
async fn an_account_without_discovery_whose_credentials_are_rejected_is_a_problem() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 1}));
    twilio.fault("401");
    let more = format!("discovery: false\noperations: [{{id: {id}}}]");
    let exporter = Exporter::start(&one_account(&twilio, &more)).await;
    let exporter = exporter.settled().await;
    let shown = facts(&exporter, "/").await;
    assert_eq!(shown["findings"][0]["code"], "unauthorized", "{shown}");
    assert_eq!(shown["accounts"][0]["connection"], "not_reached");
}

#[tokio::test]
async fn a_broken_source_and_a_rejected_reload_are_problems_until_they_are_corrected() {
    let twilio = Twilio::empty().await;
    let yaml = one_account(&twilio, "operation_files: [list.yml]");
    let exporter = Exporter::start(&yaml).await.settled().await;
    let codes = || async {
        let shown = facts(&exporter, "/").await;
        let findings = shown["findings"].as_array().unwrap().clone();
        let codes = findings.iter().map(|finding| finding["code"].to_string());
        codes.collect::<Vec<_>>()
    };
    let has = |codes: &[String], code: &str| codes.contains(&format!("{code:?}"));
    exporter.files.write("list.yml", "- targets: [nothing]\n");
    exporter.scrape().await;
    eventually("the broken source is a problem", || async {
        has(&codes().await, "broken_source")
    })
    .await;
    exporter.files.write("list.yml", "[]\n");
    exporter.scrape().await;
    eventually("the source is corrected", || async {
        !has(&codes().await, "broken_source")
    })
    .await;
    let lifecycle = Overrides {
        enable_lifecycle: Some(true),
        ..Overrides::default()
    };
    let exporter = Exporter::start_with(&yaml, Clock::System, lifecycle).await;
    let exporter = exporter.settled().await;
    let reload = || async {
        let reload = exporter.client.post(exporter.url("/-/reload")).send();
        reload.await.unwrap().status()
    };
    let first = || async { facts(&exporter, "/").await["findings"][0].clone() };
    exporter
        .files
        .write("config.yml", "accounts: []\nwrong: 1\n");
    assert_eq!(reload().await, 500);
    let finding = first().await;
    assert_eq!(finding["code"], "reload_failed", "{finding}");
    assert!(
        finding["cause"].as_str().unwrap().contains("wrong"),
        "{finding}"
    );
    exporter.files.write("config.yml", &yaml);
    assert_eq!(reload().await, 200);
    assert_ne!(first().await["code"], "reload_failed");
}

#[tokio::test]
async fn before_the_first_scrape_the_page_has_a_scrape_configuration() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::watching(&twilio).await.settled().await;
    let start = "Prometheus does not scrape this exporter yet";
    let browser = exporter.client.get(exporter.url("/metrics"));
    let browser = browser.header(ACCEPT, "text/html,*/*;q=0.8").send();
    browser.await.unwrap();
    let page = text(&exporter, "/").await;
    let target = format!("targets: [&quot;{}&quot;]", exporter.address);
    assert!(page.contains(start) && page.contains(&target), "{page}");
    assert_eq!(facts(&exporter, "/").await["last_scrape"], Value::Null);
    let hostile = exporter.client.get(exporter.url("/"));
    let hostile = hostile.header("Host", "a\"><script>").send().await;
    let hostile = hostile.unwrap().text().await.unwrap();
    assert!(
        !hostile.contains("a&quot;") && !hostile.contains("><script>"),
        "{hostile}"
    );
    exporter.scrape().await;
    let page = text(&exporter, "/").await;
    assert!(!page.contains(start) && page.contains("Scraped "), "{page}");
    assert!(facts(&exporter, "/").await["last_scrape"].is_string());
}

#[tokio::test]
async fn scrapes_that_stopped_are_a_problem_until_the_next_one() {
    let twilio = Twilio::empty().await;
    let clock = Clock::manual("2026-04-05T06:20:00Z".parse().unwrap());
    let exporter = Exporter::start_at(&one_account(&twilio, ""), clock.clone()).await;
    let exporter = exporter.settled().await;
    let problem = || async {
        let shown = facts(&exporter, "/").await;
        let findings = shown["findings"].as_array().unwrap().clone();
        findings
            .into_iter()
            .find(|finding| finding["code"] == "not_scraped")
    };
    clock.set(clock.now() + HOUR);
    assert_eq!(
        problem().await,
        None,
        "never scraped: the page has what to paste"
    );
    exporter.scrape().await;
    clock.set(clock.now() + Duration::from_mins(10));
    assert_eq!(problem().await, None);
    clock.set(clock.now() + Duration::from_mins(1));
    let finding = problem().await.unwrap();
    assert_eq!(finding["since"], "2026-04-05T07:20:00Z");
    let page = text(&exporter, "/").await;
    assert!(
        page.contains("Prometheus no longer scrapes this exporter."),
        "{page}"
    );
    exporter.scrape().await;
    assert_eq!(problem().await, None);
}
