//! The API's list: pages and filters.

use std::time::Duration;

use serde_json::{Value, json};

use super::{OPERATIONS, get, post, start};
use crate::support::exporter::{account, one_account};
use crate::support::twilio::Twilio;

fn ids(body: &Value) -> Vec<String> {
    let operations = body["operations"].as_array().unwrap().iter();
    operations
        .map(|each| each["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_pages_contain_every_operation_of_every_account_once() {
    let twilios = [Twilio::empty().await, Twilio::empty().await];
    let mut all = Vec::new();
    for twilio in &twilios {
        let made = (0..7).map(|_| twilio.put(Duration::from_hours(1), json!({"total": 1})));
        let mut made: Vec<String> = made.map(|id| id.to_string()).collect();
        made.sort();
        all.extend(made);
    }
    let yaml = format!(
        "accounts:\n{}{}",
        account("b", &twilios[0], ""),
        account("a", &twilios[1], "")
    );
    let exporter = start(&yaml).await.settled().await;
    for limit in [1, 3, 7, 14, 15] {
        let mut found = Vec::new();
        let mut path = format!("{OPERATIONS}?limit={limit}");
        loop {
            let page = get(&exporter, &path).await;
            assert_eq!(page.status, 200, "{}", page.body);
            let on_page = ids(&page.body);
            assert!(on_page.len() <= limit);
            found.extend(on_page);
            let Some(next) = page.body["next"].as_str() else {
                break;
            };
            path = format!("{OPERATIONS}?limit={limit}&after={next}");
        }
        assert_eq!(found, all, "{limit} a page");
    }
    let page = get(&exporter, &format!("{OPERATIONS}?account=a")).await;
    assert_eq!(ids(&page.body), all[7..]);
    assert_eq!(page.body["next"], Value::Null);
}

#[tokio::test]
async fn a_list_is_filtered_by_account_state_and_labels() {
    let twilio = Twilio::empty().await;
    let exporter = start(&one_account(&twilio, "")).await.settled().await;
    let stats = || json!({"total": 5, "queued": 5});
    let moving = twilio
        .put_as(Duration::ZERO, "PROCESSING", stats())
        .to_string();
    let done = twilio
        .put(Duration::ZERO, json!({"total": 5, "delivered": 5}))
        .to_string();
    let list = json!([
        {"id": moving, "labels": {"campaign": "spring", "team": "mail"}},
        {"id": done, "labels": {"campaign": "spring"}},
    ]);
    assert_eq!(post(&exporter, &list).await.status, 201);
    exporter.scrape().await;
    for (query, expected) in [
        ("state=processing", vec![&moving]),
        ("state=completed", vec![&done]),
        ("state=scheduled", vec![]),
        ("label=team=mail", vec![&moving]),
        ("label=team=mail&state=completed", vec![]),
        ("label=team=mail&label=campaign=spring", vec![&moving]),
        ("label=campaign%3Dspring&state=completed", vec![&done]),
        ("label=campaign=", vec![]),
    ] {
        let page = get(&exporter, &format!("{OPERATIONS}?{query}")).await;
        let found = ids(&page.body);
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    for (query, status) in [
        ("limit=0", 400),
        ("limit=1001", 400),
        ("limit=x", 400),
        ("limit=1&limit=2", 400),
        ("label=campaign", 400),
        ("label==x", 400),
        ("after=x", 400),
        ("stat=processing", 400),
        ("account=x", 404),
        (format!("after=x/{done}").as_str(), 404),
    ] {
        let response = get(&exporter, &format!("{OPERATIONS}?{query}")).await;
        assert_eq!(response.status, status, "{query}: {}", response.body);
    }
}
