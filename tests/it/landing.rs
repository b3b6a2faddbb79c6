//! The page for people.

use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::Overrides;

use crate::support::eventually;
use crate::support::exporter::{Exporter, account, one_account};
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn the_landing_page_says_what_is_watched_and_how_it_stands() {
    let [fine, refused] = [Twilio::empty().await, Twilio::empty().await];
    fine.put(
        HOUR,
        json!({"total": 11, "delivered": 4, "opened": 2, "undelivered": 3, "failed": 2}),
    );
    fine.put_as(HOUR, "PROCESSING", json!({"total": 1, "queued": 1}));
    refused.fault("401");
    let yaml = format!(
        "accounts:\n{}{}",
        account("fine", &fine, ""),
        account("refused", &refused, "")
    );
    let exporter = Exporter::start(&yaml).await.settled().await;
    let response = exporter.get("/").await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()["content-type"],
        "text/html; charset=utf-8"
    );
    let page = response.text().await.unwrap();
    assert!(page.contains("2 accounts"), "{page}");
    let row = |account: &str| {
        let row = page
            .lines()
            .find(|line| line.contains(&format!(">{account}</th>")));
        row.unwrap_or_else(|| panic!("no row of {account} in {page}"))
            .to_owned()
    };
    let cells = |account| -> Vec<String> {
        let row = row(account);
        row.split("<td")
            .skip(1)
            .map(|cell| {
                let text = cell.split_once('>').unwrap().1;
                text.split('<').next().unwrap().to_owned()
            })
            .collect()
    };
    let found = cells("fine");
    assert_eq!(found[..2], ["reached", "listing"], "{found:?}");
    assert!(found[2].starts_with("complete, "), "{found:?}");
    assert_eq!(
        found[3..],
        ["2", "1", "6", "5"],
        "operations, in flight, reached, lost"
    );
    let found = cells("refused");
    assert_eq!(
        found[..3],
        [
            "not reached, see the log",
            "refused or failing",
            "none complete yet"
        ]
    );
}

#[tokio::test]
async fn the_landing_page_before_anything_is_known_promises_nothing() {
    let [fine, hanging] = [Twilio::empty().await, Twilio::empty().await];
    hanging.fault("hang");
    let yaml = format!(
        "accounts:\n{}{}",
        account("fine", &fine, ""),
        account("hanging", &hanging, "request_timeout: 1m")
    );
    let exporter = Exporter::start(&yaml).await;
    eventually("the first account has been collected", || async {
        exporter
            .get("/")
            .await
            .text()
            .await
            .unwrap()
            .contains("reached")
    })
    .await;
    let page = exporter.get("/").await.text().await.unwrap();
    let row = |account: &str| {
        page.lines()
            .find(|line| line.contains(&format!(">{account}</th>")))
            .unwrap()
    };
    assert!(
        row("hanging").contains("first collection running"),
        "{page}"
    );
    assert!(!row("hanging").contains(">off<"), "discovery is on: {page}");
    assert!(!row("fine").contains("under way"), "{page}");
}

#[tokio::test]
async fn one_account_in_trouble_is_not_said_to_be_at_its_first_collection() {
    let [refused, hanging] = [Twilio::empty().await, Twilio::empty().await];
    refused.fault("401");
    hanging.fault("hang");
    let yaml = format!(
        "accounts:\n{}{}",
        account("refused", &refused, ""),
        account("hanging", &hanging, "request_timeout: 1m")
    );
    let exporter = Exporter::start(&yaml).await;
    eventually("the refusal shows beside an account that hangs", || async {
        let page = exporter.get("/").await.text().await.unwrap();
        let row = page
            .lines()
            .find(|line| line.contains(">refused</th>"))
            .unwrap();
        row.contains("not reached, see the log")
    })
    .await;
}

#[tokio::test]
async fn the_landing_page_shows_the_last_collection_while_another_one_runs() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::watching(&twilio).await.settled().await;
    twilio.fault("hang");
    exporter.scrape_within(0.6).await;
    let page = exporter.get("/").await.text().await.unwrap();
    assert!(page.contains(">reached<"), "{page}");
    let seen = exporter.scrape_within(0.6).await;
    seen.expect("the scrape got no answer", &[("up", 0.0)]);
}

#[tokio::test]
async fn names_mean_nothing_to_html() {
    let twilio = Twilio::empty().await;
    let name = r#"'<b onclick="x">&amp;</b>'"#;
    let yaml = format!("accounts:\n{}", account(name, &twilio, ""));
    let exporter = Exporter::start(&yaml).await.settled().await;
    let page = exporter.get("/").await.text().await.unwrap();
    assert!(
        page.contains("&lt;b onclick=&quot;x&quot;&gt;&amp;amp;&lt;/b&gt;"),
        "{page}"
    );
    assert!(!page.contains("<b onclick"), "{page}");
    let seen = exporter.scrape().await;
    assert_eq!(seen.of(r#"<b onclick="x">&amp;</b>"#, "up"), Some(1.0));
}

#[tokio::test]
async fn every_link_of_the_landing_page_works() {
    let twilio = Twilio::empty().await;
    let plain = ["/metrics", "/sd", "/-/healthy", "/-/ready"];
    let api = ["/api/v1/operations", "/api/v1/openapi.json"];
    let with_api = [&plain[..2], &api, &plain[2..]].concat();
    for (enable_api, expected) in [(None, plain.to_vec()), (Some(true), with_api)] {
        let options = Overrides {
            enable_api,
            ..Overrides::default()
        };
        let yaml = one_account(&twilio, "");
        let exporter = Exporter::start_with(&yaml, Clock::System, options).await;
        let exporter = exporter.settled().await;
        let page = exporter.get("/").await.text().await.unwrap();
        let links: Vec<_> = page
            .split("href=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        assert_eq!(links, expected);
        for link in links {
            assert_eq!(exporter.get(link).await.status(), 200, "{link}");
        }
    }
}
