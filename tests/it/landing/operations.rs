//! The operations: filter, order, pages, and the page of each.

use super::*;

/// The most bytes of the page, whatever the number of operations.
const MOST_BYTES: usize = 100 * 1024;

/// An account with three operations, two of which a file labels.
async fn labeled() -> (Twilio, Exporter, [String; 3]) {
    let twilio = Twilio::empty().await;
    let ids = [
        twilio.put(HOUR, json!({"total": 9, "delivered": 8, "failed": 1})),
        twilio.put_as(2 * HOUR, "PROCESSING", json!({"total": 9, "sent": 9})),
        twilio.put(3 * HOUR, json!({"total": 9, "delivered": 4, "failed": 5})),
    ]
    .map(|id| id.to_string());
    let more = "operation_files: [list.yml]\noperations:\n- id: ID\n  labels: {team: red}";
    let yaml = one_account(&twilio, &more.replace("ID", &ids[1]));
    let exporter = Exporter::start(&yaml).await.settled().await;
    let list = json!([
        {"targets": [ids[0]], "labels": {"name": "<i>Spring</i> sale", "campaign": "spring"}},
        {"targets": [ids[1]], "labels": {"campaign": "spring", "team": "blue"}},
    ]);
    exporter.files.write("list.yml", &list.to_string());
    exporter.scrape().await;
    eventually("the labels are there", || async {
        facts(&exporter, "/?label=campaign").await["operations"]["matching"] == 2
    })
    .await;
    (twilio, exporter, ids)
}

async fn found(exporter: &Exporter, query: &str) -> Vec<String> {
    let shown = facts(exporter, &format!("/?{query}")).await;
    let items = shown["operations"]["items"].as_array().unwrap().clone();
    let ids = items
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned());
    ids.collect()
}

#[tokio::test]
async fn operations_are_filtered_and_ordered_by_the_address() {
    let (_twilio, exporter, [new, busy, bad]) = labeled().await;
    for (query, expected) in [
        ("", vec![&new, &busy, &bad]),
        (
            "sort=newest&q=&account=&state=&label=",
            vec![&new, &busy, &bad],
        ),
        ("sort=in_flight", vec![&busy, &new, &bad]),
        ("sort=worst", vec![&bad, &new, &busy]),
        ("state=processing", vec![&busy]),
        ("label=campaign%3Dspring", vec![&new, &busy]),
        ("label=campaign", vec![&new, &busy]),
        ("label=team%3Dred", vec![&busy]),
        ("q=SPRING%20SALE", vec![]),
        ("q=sale", vec![&new]),
        ("q=default", vec![&new, &busy, &bad]),
        ("account=default&q=spring&sort=in_flight", vec![&busy, &new]),
        ("account=other", vec![]),
        ("page=9", vec![&new, &busy, &bad]),
    ] {
        let expected: Vec<String> = expected.into_iter().cloned().collect();
        assert_eq!(found(&exporter, query).await, expected, "{query}");
    }
    assert_eq!(found(&exporter, &format!("q={}", &bad[30..])).await, [bad]);
    for wrong in ["sort=best", "page=0", "unknown=1", "q=a&q=b"] {
        let response = exporter.get(&format!("/?{wrong}")).await;
        assert_eq!(response.status(), 400, "{wrong}");
        let page = response.text().await.unwrap();
        assert!(
            page.contains("The parameter") || page.contains("Unknown parameter"),
            "{page}"
        );
    }
    let page = text(&exporter, "/?label=campaign%3Dspring").await;
    assert!(
        page.contains("&lt;i&gt;Spring&lt;/i&gt; sale"),
        "the name before the id"
    );
    assert!(!page.contains("<i>"), "{page}");
    assert!(
        page.contains("value=\"campaign=spring\""),
        "the form keeps the filter: {page}"
    );
}

#[tokio::test]
async fn an_operation_has_a_page_with_its_stats_and_the_sources_of_its_labels() {
    let (_twilio, exporter, [new, busy, bad]) = labeled().await;
    let shown = facts(&exporter, &format!("/operations/{busy}")).await;
    assert_eq!(shown["in_flight"], 9);
    assert_eq!(
        shown["labels"],
        json!({"campaign": "spring", "team": "red"})
    );
    let file = shown["label_sources"]["campaign"].as_str().unwrap();
    assert!(
        file.starts_with("the file ") && file.ends_with("list.yml"),
        "{file}"
    );
    assert_eq!(shown["label_sources"]["team"], "the configuration");
    let probe = shown["probe"].as_str().unwrap();
    assert_eq!(exporter.get(probe).await.status(), 200);
    let page = text(&exporter, &format!("/operations/{new}?account=default")).await;
    for words in [
        "&lt;i&gt;Spring&lt;/i&gt; sale</h1>",
        "1 of 9 finished emails",
        "11.1%",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let page = text(&exporter, &format!("/operations/{bad}")).await;
    assert!(page.contains("Found by discovery"), "{page}");
    let unknown = new.replace(&new[40..], &"0".repeat(new.len() - 40));
    for path in [
        "/operations/x".to_owned(),
        format!("/operations/{unknown}"),
        format!("/operations/{new}?account=other"),
    ] {
        assert_eq!(exporter.get(&path).await.status(), 404, "{path}");
    }
    let wrong = format!("/operations/{new}?acount=default");
    assert_eq!(exporter.get(&wrong).await.status(), 400);
}

#[tokio::test]
async fn a_thousand_operations_are_pages_of_less_than_100_kib() {
    let twilio = Twilio::empty().await;
    for number in 0..1000 {
        let stats = json!({"total": 1_000_000, "queued": 100_000, "delivered": 700_000 + number, "opened": 100_000, "failed": 99_000 - number});
        twilio.put_as(HOUR, "PROCESSING", stats);
    }
    let exporter = Exporter::start(&one_account(&twilio, "operation_files: [list.yml]")).await;
    let exporter = exporter.settled().await;
    let mut query = "sort=worst".to_owned();
    let ids = found(&exporter, &query).await;
    // The first page has labels of the maximum length.
    let labels = |n: usize| {
        let names = (0..8).map(|label| (format!("label_{label}"), json!("<&\">".repeat(50))));
        let mut labels: serde_json::Map<_, _> = names.collect();
        labels.insert("name".to_owned(), json!(format!("{n}{}", "&".repeat(200))));
        labels
    };
    let list: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(n, id)| json!({"targets": [id], "labels": labels(n)}))
        .collect();
    exporter.files.write("list.yml", &json!(list).to_string());
    exporter.scrape().await;
    eventually("the labels are there", || async {
        facts(&exporter, "/?label=label_0").await["operations"]["matching"] == ids.len()
    })
    .await;
    let mut seen = ids.len();
    let page = text(&exporter, "/?sort=worst").await;
    assert!(page.len() < MOST_BYTES, "{} bytes", page.len());
    for number in 2..=40 {
        query = format!("sort=worst&page={number}");
        let ids = found(&exporter, &query).await;
        seen += ids.len();
    }
    assert_eq!(seen, 1000, "each on one page");
    let page = text(&exporter, &format!("/?{query}")).await;
    assert!(page.contains("976–1,000 of 1,000"), "{page}");
    assert!(page.len() < MOST_BYTES, "{} bytes", page.len());
}

#[tokio::test]
async fn an_operation_beyond_the_series_limit_is_found_by_its_id() {
    let twilio = Twilio::empty().await;
    let ids = [HOUR, 2 * HOUR].map(|age| twilio.put(age, json!({"total": 3, "delivered": 3})));
    let yaml = one_account(&twilio, "") + "series: {max_operations: 1}\n";
    let exporter = Exporter::start(&yaml).await.settled().await;
    let shown = facts(&exporter, "/").await;
    assert_eq!(shown["operations"]["total"], 1, "{shown}");
    let findings = shown["findings"].as_array().unwrap();
    let limit = findings
        .iter()
        .find(|finding| finding["code"] == "series_limit");
    let what = limit.unwrap()["what"].as_str().unwrap();
    assert_eq!(
        what,
        "The series limit hides one operation of account default"
    );
    let hidden = ids[1];
    let page = text(&exporter, &format!("/?q={hidden}")).await;
    let link = format!("/operations/{hidden}");
    assert!(resolved(&page, "/", "href").contains(&link), "{page}");
    assert_eq!(facts(&exporter, &link).await["size"], 3);
}
