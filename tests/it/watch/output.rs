//! Plain lines and JSON lines.

use std::collections::BTreeSet;

use twilio_email_exporter::watch::Lines;

use super::*;

/// `docs/watch.md` has the schema.
const PAGE: &str = include_str!("../../../docs/watch.md");

/// Follows the stages of a small send, each for some reads, with plain lines.
#[tokio::test]
async fn there_is_one_plain_line_per_change() {
    let twilio = Twilio::empty().await;
    let id = twilio.put_as(HOUR, "PROCESSING", json!({"total": 2000, "queued": 1000, "sent": 748, "delivered": 200, "opened": 40, "failed": 12}));
    let account = Account::new(&twilio, "");
    let mut written = Vec::new();
    {
        let mut lines = Lines::new(&mut written);
        let (settings, configured) = (settings(&[id]), &account.config.accounts[0]);
        let watch = follow(
            &account.client,
            configured,
            &settings,
            &Clock::System,
            &mut lines,
            pending(),
        );
        let moves = async {
            let handle = &twilio.handle;
            let reads = |more: u64| {
                let wanted = handle.counts().total + more;
                crate::support::eventually("further reads", move || async move {
                    handle.counts().total >= wanted
                })
            };
            reads(4).await;
            set(
                &twilio,
                id,
                "COMPLETED",
                json!({"total": 2000, "sent": 1, "delivered": 1900, "opened": 87, "failed": 12}),
            );
            reads(4).await;
            set(
                &twilio,
                id,
                "COMPLETED",
                json!({"total": 2000, "delivered": 1900, "opened": 87, "failed": 12, "undelivered": 1}),
            );
        };
        let (ending, ()) = tokio::join!(watch, moves);
        assert_eq!(ending.unwrap(), Ending::Done);
    }
    let text = String::from_utf8(written).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    let (time, rest) = lines[0].split_once(" UTC ").unwrap();
    assert_eq!(time.len(), "20:31:05".len(), "{text}");
    assert_eq!(
        rest,
        format!(
            "{id} processing: 2,000 emails: 240 delivered (40 opened), 12 lost (4.8%), 1,748 in flight"
        )
    );
    assert!(
        lines[1].contains("completed: ") && lines[1].contains(" emails/s"),
        "{text}"
    );
    assert!(
        lines[2].contains(&format!(
            "{id} completed, settled: 2,000 emails: 1,987 delivered"
        )),
        "{text}"
    );
    assert!(
        lines[3].ends_with("settled after 0s: 2,000 emails, 13 lost (0.7%)"),
        "{text}"
    );
}

/// All keys of all events, as they are.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                found.insert(key.clone());
                keys(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn each_json_line_is_an_object_whose_keys_the_page_documents() {
    let twilio = Twilio::empty().await;
    let id = twilio.put_as(HOUR, "PROCESSING", stages()[0].1.clone());
    twilio.fault("operation=500:times=1");
    let mut stages = stages().into_iter().skip(1);
    let mut events = Events::then(|event| {
        if let Event::Changed(_) = event
            && let Some((state, stats)) = stages.next()
        {
            set(&twilio, id, state, stats);
        }
    });
    Account::new(&twilio, "")
        .follow(&settings(&[id]), &mut events)
        .await;
    let events = events.read();
    let mut found = BTreeSet::new();
    for event in &events {
        assert!(event["time"].as_str().unwrap().ends_with('Z'), "{event}");
        assert_eq!(event["account"], "default");
        keys(event, &mut found);
        let kind = event["event"].as_str().unwrap();
        assert!(PAGE.contains(&format!("`{kind}`")), "{kind}");
    }
    assert!(found.len() > 25, "{found:?}");
    let missing: Vec<_> = found
        .iter()
        .filter(|key| !PAGE.contains(&format!("`{key}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/watch.md does not document {missing:?}"
    );
    let last = events.last().unwrap();
    assert_eq!(last["ending"], "settled", "{last}");
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "failure", "recovery", "change", "change", "change", "change", "end"
        ]
    );
    let last = values(&events, "change", "emails").pop().unwrap();
    let sum: u64 = last
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(sum, 4, "each email counts once");
}
