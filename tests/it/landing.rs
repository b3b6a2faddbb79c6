//! The pages for people: their content and form.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::Overrides;

use crate::support::eventually;
use crate::support::exporter::{Exporter, account, account_at, one_account};
use crate::support::twilio::Twilio;

mod accounts;
mod operations;
mod problems;
mod since;

const HOUR: Duration = Duration::from_hours(1);

async fn text(exporter: &Exporter, path: &str) -> String {
    exporter.get(path).await.text().await.unwrap()
}

/// The same page as JSON.
async fn facts(exporter: &Exporter, path: &str) -> Value {
    let request = exporter.client.get(exporter.url(path));
    let response = request.header(ACCEPT, "application/json").send();
    let response = response.await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn the_page_shows_each_account_with_its_values() {
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
    let headers = response.headers();
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(
        (&headers["vary"], &headers["cache-control"]),
        (
            &"accept, Accept-Encoding".parse().unwrap(),
            &"no-store".parse().unwrap()
        )
    );
    let page = response.text().await.unwrap();
    for words in [
        "in 2 accounts",
        "45.5% <span>lost",
        "5 of 11 finished emails",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let shown = facts(&exporter, "/").await;
    let [fine, refused] = [&shown["accounts"][0], &shown["accounts"][1]];
    let expected = json!({
        "name": "fine", "connection": "reached", "discovery": "listing", "operations": 2,
        "in_flight": 1, "delivered": 6, "lost": 5, "finished": 11, "counters": "memory_only",
        "paused_until": null, "series_limit": 1000, "operations_with_series": 2,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&fine[key], value, "{key}: {fine}");
    }
    assert!(fine["age_seconds"].as_u64() < Some(60), "{fine}");
    let (budget, left) = (&fine["request_budget"], &fine["requests_left"]);
    assert!(left.as_u64() < budget.as_u64(), "{fine}");
    assert_eq!(refused["connection"], "not_reached");
    assert_eq!(refused["discovery"], "failing");
    assert_eq!(refused["lost_share"], Value::Null);
    assert!(refused["next_login_at"].is_string(), "{refused}");
}

#[tokio::test]
async fn the_page_before_the_first_collection_shows_no_values() {
    let [fine, hanging] = [Twilio::empty().await, Twilio::empty().await];
    hanging.fault("hang");
    let yaml = format!(
        "accounts:\n{}{}",
        account("fine", &fine, ""),
        account("hanging", &hanging, "request_timeout: 1m")
    );
    let exporter = Exporter::start(&yaml).await;
    eventually("the first account has been collected", || async {
        facts(&exporter, "/").await["accounts"][0]["connection"] == "reached"
    })
    .await;
    let shown = facts(&exporter, "/").await;
    let hanging = &shown["accounts"][1];
    assert_eq!(hanging["connection"], "starting", "{shown}");
    assert_eq!(hanging["discovery"], "unknown", "discovery is on");
    let page = text(&exporter, "/").await;
    assert!(page.contains("first collection running"), "{page}");
    assert!(!page.contains("The exporter works"), "{page}");
}

#[tokio::test]
async fn the_page_shows_the_last_collection_while_another_one_runs() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::watching(&twilio).await.settled().await;
    twilio.fault("hang");
    exporter.scrape_within(0.6).await;
    let page = text(&exporter, "/").await;
    assert!(page.contains(">reached<"), "{page}");
    let seen = exporter.scrape_within(0.6).await;
    seen.expect("the scrape got no response", &[("up", 0.0)]);
}

#[tokio::test]
async fn names_are_escaped_in_html() {
    let twilio = Twilio::empty().await;
    let name = r#"'<b onclick="x">&amp;</b>'"#;
    let yaml = format!("accounts:\n{}", account(name, &twilio, ""));
    let exporter = Exporter::start(&yaml).await.settled().await;
    let page = text(&exporter, "/").await;
    assert!(
        page.contains("&lt;b onclick=&quot;x&quot;&gt;&amp;amp;&lt;/b&gt;"),
        "{page}"
    );
    assert!(!page.contains("<b onclick"), "{page}");
    let seen = exporter.scrape().await;
    assert_eq!(seen.of(r#"<b onclick="x">&amp;</b>"#, "up"), Some(1.0));
}

/// The values of an attribute in a page.
fn values<'p>(page: &'p str, attribute: &str) -> Vec<&'p str> {
    let begin = format!(" {attribute}=\"");
    let parts = page.split(&begin).skip(1);
    parts.map(|rest| rest.split('"').next().unwrap()).collect()
}

/// The links of a page, resolved as a browser does; those to other servers are left as they are.
fn resolved(page: &str, path: &str, attribute: &str) -> Vec<String> {
    let base = Url::parse("http://exporter").unwrap().join(path).unwrap();
    let links = values(page, attribute).into_iter();
    links
        .map(|link| {
            let link = base.join(&link.replace("&amp;", "&")).unwrap().to_string();
            link.strip_prefix("http://exporter")
                .map_or(link.clone(), str::to_owned)
        })
        .collect()
}

#[tokio::test]
async fn no_link_leaves_the_path_under_which_a_proxy_serves_the_pages() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 1, "delivered": 1}));
    let options = Overrides {
        enable_api: Some(true),
        telemetry_path: Some("/email/metrics".to_owned()),
        ..Overrides::default()
    };
    let yaml = one_account(&twilio, "");
    let exporter = Exporter::start_with(&yaml, Clock::System, options).await;
    let exporter = exporter.settled().await;
    for path in [
        "/",
        "/?q=nothing",
        &format!("/?q={}", id.to_string().replace('0', "1")),
        "/?page=0",
        &format!("/operations/{id}"),
        "/operations/x",
    ] {
        let page = text(&exporter, path).await;
        let mut count = 0;
        for attribute in ["href", "src", "action"] {
            let links = resolved(&page, &format!("/team/mail{path}"), attribute);
            let own = links.iter().filter(|link| !link.contains("://"));
            for link in own {
                assert!(link.starts_with("/team/mail/"), "{path}: {link}");
                count += 1;
            }
        }
        assert!(count >= 5, "{path}: {count} links");
    }
}

#[tokio::test]
async fn every_link_of_the_page_works() {
    let twilio = Twilio::empty().await;
    twilio.put(HOUR, json!({"total": 1, "delivered": 1}));
    let all = [
        "/metrics",
        "/sd",
        "/-/healthy",
        "/-/ready",
        "/?account=default",
    ];
    let api = ["/api/v1/operations", "/api/v1/openapi.json"];
    for enable_api in [None, Some(true)] {
        let options = Overrides {
            enable_api,
            ..Overrides::default()
        };
        let yaml = one_account(&twilio, "");
        let exporter = Exporter::start_with(&yaml, Clock::System, options).await;
        let exporter = exporter.settled().await;
        let page = text(&exporter, "/").await;
        let links = resolved(&page, "/", "href");
        for expected in all {
            let is_there = links.iter().any(|link| link.starts_with(expected));
            assert!(is_there, "{expected}: {links:?}");
        }
        let has_api = api.iter().all(|path| links.contains(&(*path).to_owned()));
        assert_eq!(has_api, enable_api.is_some(), "{links:?}");
        for link in links.iter().filter(|link| link.starts_with('/')) {
            assert_eq!(exporter.get(link).await.status(), 200, "{link}");
        }
        let others: Vec<_> = links
            .iter()
            .filter(|link| !link.starts_with('/') && !link.starts_with('#'))
            .collect();
        assert_eq!(others.len(), 1, "the documentation: {others:?}");
    }
}

#[tokio::test]
async fn pages_link_to_grafana_only_if_it_is_configured() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 1, "delivered": 1}));
    let plain = Exporter::watching(&twilio).await.settled().await;
    assert!(!text(&plain, "/").await.contains("Grafana"));
    let options = Overrides {
        grafana_url: Some("https://example.com/grafana/".to_owned()),
        ..Overrides::default()
    };
    let yaml = one_account(&twilio, "");
    let exporter = Exporter::start_with(&yaml, Clock::System, options).await;
    let exporter = exporter.settled().await;
    let dashboard = "https://example.com/grafana/d/twilio-email-";
    let page = text(&exporter, "/").await;
    let overview = format!("{dashboard}overview?var-account=default");
    assert!(values(&page, "href").contains(&&*overview), "{page}");
    let operation = facts(&exporter, &format!("/operations/{id}")).await;
    let created = id.created().as_millis();
    let expected = format!(
        "{dashboard}operation?var-account=default&var-operation_id={id}&from={created}&to=now"
    );
    assert_eq!(operation["grafana"], expected);
}

#[tokio::test]
async fn the_content_security_policy_allows_everything_that_a_page_needs() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 1, "delivered": 1}));
    let exporter = Exporter::watching(&twilio).await.settled().await;
    for path in ["/", &format!("/operations/{id}"), "/operations/x"] {
        let page = text(&exporter, path).await;
        for inline in [" style=", "<style", "javascript:", " onclick", " onload"] {
            assert!(!page.contains(inline), "{path}: {inline}");
        }
        let scripts: Vec<_> = page.split("<script").skip(1).collect();
        assert_eq!(scripts.len(), 1, "{path}");
        let sources = resolved(&page, path, "src");
        assert_eq!(sources.len(), 1, "{path}");
        assert!(sources[0].starts_with("/assets/"), "{sources:?}");
    }
    let page = text(&exporter, "/").await;
    let assets = ["href", "src"]
        .map(|name| resolved(&page, "/", name))
        .concat();
    let assets: Vec<_> = assets
        .into_iter()
        .filter(|path| path.starts_with("/assets/"))
        .collect();
    assert_eq!(assets.len(), 3, "icon, style and script: {assets:?}");
    for asset in assets {
        let response = exporter.get(&asset).await;
        assert_eq!(response.status(), 200, "{asset}");
        let cached = response.headers()["cache-control"].to_str().unwrap();
        assert!(cached.contains("immutable"), "{cached}");
    }
    for unknown in ["/assets/page.css", "/assets/../Cargo.toml", "/assets/"] {
        assert_eq!(exporter.get(unknown).await.status(), 404, "{unknown}");
    }
}

#[tokio::test]
async fn a_page_makes_no_request_to_twilio() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 1, "delivered": 1}));
    let exporter = Exporter::watching(&twilio).await.settled().await;
    let before = twilio.handle.counts().total;
    for _ in 0..3 {
        facts(&exporter, "/").await;
        text(&exporter, &format!("/operations/{id}")).await;
    }
    assert_eq!(twilio.handle.counts().total, before);
}
