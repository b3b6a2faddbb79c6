//! Many accounts, and accounts without any values yet.

use super::*;

/// The most bytes of the page, whatever the number of accounts.
const MOST_BYTES: usize = 100 * 1024;

/// 60 accounts with names of the maximum length. Every tenth is rejected.
async fn sixty(fill: &str) -> (Exporter, Twilio, Twilio) {
    let [fine, refused] = [Twilio::empty().await, Twilio::empty().await];
    fine.put(HOUR, json!({"total": 9, "delivered": 8, "failed": 1}));
    refused.fault("401");
    let accounts: String = (0..60)
        .map(|n| {
            let twilio = if n % 10 == 9 { &refused } else { &fine };
            let name = format!("{n:02}{}", fill.repeat(62));
            account(&name, twilio, "")
        })
        .collect();
    let yaml = format!("accounts:\n{accounts}");
    (Exporter::start(&yaml).await.settled().await, fine, refused)
}

/// The names on the cards of a page, by their first two characters.
fn cards(page: &str) -> Vec<String> {
    let parts = page.split("<div class=\"card-head\"><h3>").skip(1);
    parts.map(|rest| rest[..2].to_owned()).collect()
}

#[tokio::test]
async fn a_page_with_60_accounts_is_less_than_100_kib_and_shows_those_with_problems_first() {
    let (exporter, _fine, _refused) = sixty("x").await;
    let page = text(&exporter, "/").await;
    assert!(page.len() < MOST_BYTES, "{} bytes", page.len());
    assert!(page.contains("6 problems"), "{page}");
    let expected = [
        "09", "19", "29", "39", "49", "59", "00", "01", "02", "03", "04", "05",
    ];
    assert_eq!(cards(&page), expected);
    let mut seen = cards(&page);
    for number in 2..=5 {
        seen.extend(cards(
            &text(&exporter, &format!("/?accounts_page={number}")).await,
        ));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 60, "each account is on a page");
    let last = text(&exporter, "/?accounts_page=99&sort=worst").await;
    assert!(last.contains("49–60 of 60 accounts"), "{last}");
    let next = resolved(&page, "/", "href");
    assert!(
        next.contains(&"/?accounts_page=2#accounts-title".to_owned()),
        "{next:?}"
    );
    let selected = format!("55{}", "x".repeat(62));
    let page = text(&exporter, &format!("/?account={selected}")).await;
    assert_eq!(
        cards(&page)[..2],
        ["55", "09"],
        "the selected account first"
    );
    let shown = facts(&exporter, "/").await;
    assert_eq!(
        shown["accounts"].as_array().unwrap().len(),
        60,
        "the JSON has all"
    );
}

#[tokio::test]
async fn a_page_stays_below_100_kib_with_60_hostile_names_that_are_all_rejected() {
    let twilio = Twilio::empty().await;
    twilio.fault("401");
    let accounts: String = (0..60)
        .map(|n| account(&format!("'{n:02}{}'", "&".repeat(62)), &twilio, ""))
        .collect();
    let yaml = format!("accounts:\n{accounts}");
    let exporter = Exporter::start(&yaml).await.settled().await;
    let page = text(&exporter, "/").await;
    assert!(page.len() < MOST_BYTES, "{} bytes", page.len());
    assert!(
        page.contains("60 problems") && page.contains("59 more with the same cause"),
        "{page}"
    );
}

#[tokio::test]
async fn an_unknown_value_is_not_shown_as_zero() {
    let twilio = Twilio::empty().await;
    twilio.fault("500");
    let exporter = Exporter::watching(&twilio).await.settled().await;
    let page = text(&exporter, "/").await;
    for words in [
        "1 account has not been read yet.",
        "Not known yet: no collection has succeeded",
        "<dt>Delivered</dt><dd>–</dd>",
        "<dt>In flight</dt><dd>–</dd>",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("Watching 0"), "{page}");
    let shown = facts(&exporter, "/").await;
    let account = &shown["accounts"][0];
    assert_eq!(account["emails"], Value::Null);
    assert_eq!(account["delivered"], Value::Null);
    twilio.handle.clear_faults();
    exporter.scrape().await;
    let page = text(&exporter, "/").await;
    for words in ["Watching 0 operations", "<dt>Delivered</dt><dd>0</dd>"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(facts(&exporter, "/").await["accounts"][0]["delivered"], 0);
}

#[tokio::test]
async fn an_unknown_account_or_state_is_named_and_stays_selected() {
    let [one, other] = [Twilio::empty().await, Twilio::empty().await];
    one.put(HOUR, json!({"total": 1, "delivered": 1}));
    let yaml = format!(
        "accounts:\n{}{}",
        account("one", &one, ""),
        account("other", &other, "")
    );
    let exporter = Exporter::start(&yaml).await.settled().await;
    let page = text(&exporter, "/?account=%F0%9F%98%80%3Cb%3E&state=nothing").await;
    for words in [
        "There is no account <bdi>😀&lt;b&gt;</bdi>.",
        "<option value=\"😀&lt;b&gt;\" selected>",
        "<option value=\"nothing\" selected>",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    for wrong in ["page=-1", "page=1e9", "accounts_page=0"] {
        let page = text(&exporter, &format!("/?{wrong}")).await;
        for words in ["This address is not valid", "a whole number from 1 to "] {
            assert!(page.contains(words), "{wrong}: {page}");
        }
    }
    let long = exporter.get(&format!("/?q={}", "x".repeat(10_000))).await;
    assert_eq!(long.status(), 400);
    let long = long.text().await.unwrap();
    assert!(
        long.contains("more than 200 characters") && long.len() < 10_000,
        "{long}"
    );
    let page = text(&exporter, "/operations/x").await;
    assert!(page.contains("There is no such operation"), "{page}");
}
