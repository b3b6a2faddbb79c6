//! The list of emails: the emails that the stats count, in both forms of pagination.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const EMAILS: &str = "/v1/Emails?pageSize=1000";
const STATS: [&str; 8] = [
    "scheduled",
    "queued",
    "sent",
    "delivered",
    "opened",
    "undelivered",
    "failed",
    "canceled",
];

fn settings(mailboxes: Option<MailboxSettings>) -> SimulatorSettings {
    usual(WorldSettings {
        traffic: Some(Traffic {
            history: 6,
            ..Traffic::default()
        }),
        speed: 60.0,
        mailboxes,
        ..bulk(20)
    })
}

/// The number of rows per status, in lower case.
fn statuses(rows: &[Value]) -> BTreeMap<String, u64> {
    let mut statuses = BTreeMap::new();
    for row in rows {
        let status = row["status"].as_str().unwrap().to_ascii_lowercase();
        *statuses.entry(status).or_default() += 1;
    }
    statuses
}

#[tokio::test]
async fn the_emails_of_an_operation_are_those_that_its_stats_count() {
    for mailboxes in [None, Some(MailboxSettings::default())] {
        let api = Api::new(settings(mailboxes));
        for minutes in [0, 2] {
            api.wait(Duration::from_mins(minutes));
            let (_, list) = api.get("/v1/Emails/Operations?pageSize=5").await;
            for operation in list["operations"].as_array().unwrap() {
                let id = operation["id"].as_str().unwrap();
                let rows = api
                    .pages(&format!("{EMAILS}&operationId={id}"), "emails", || {})
                    .await;
                let unique: BTreeSet<&str> = ids(&rows).into_iter().collect();
                assert_eq!(unique.len(), rows.len());
                let counted = statuses(&rows);
                for stat in STATS {
                    let emails = counted.get(stat).copied().unwrap_or_default();
                    assert_eq!(emails, operation["stats"][stat], "{stat} of {operation}");
                }
                for row in &rows {
                    assert_eq!(row["operationId"], id);
                    let time = |name: &str| row[name].as_str().unwrap().to_owned();
                    assert!(time("createdAt") <= time("updatedAt"));
                    assert!(*time("updatedAt") <= *operation["updatedAt"].as_str().unwrap());
                }
            }
        }
    }
}

#[tokio::test]
async fn the_list_of_all_emails_has_each_email_once_and_filters_by_creation_and_status() {
    let api = Api::new(usual(WorldSettings {
        inbound_every: Some(Duration::from_hours(5)),
        ..bulk(30)
    }));
    let all = api.pages(EMAILS, "emails", || {}).await;
    let unique: BTreeSet<&str> = ids(&all).into_iter().collect();
    assert_eq!(unique.len(), all.len());
    let small = api.pages("/v1/Emails?pageSize=97", "emails", || {}).await;
    assert_eq!(ids(&small), ids(&all));
    assert_eq!(statuses(&all)["inbound"], 33);
    let inbound = all.iter().find(|row| row["status"] == "INBOUND").unwrap();
    assert_eq!(inbound.get("operationId"), None);
    let times = all.iter().map(|row| row["createdAt"].as_str().unwrap());
    let middle = "2026-04-02T12:00:00Z";
    let until = times.clone().filter(|time| *time <= middle).count();
    let from = times.filter(|time| *time >= middle).count();
    for (filter, expected) in [
        (format!("endDate={middle}"), until),
        (format!("startDate={middle}"), from),
        (
            format!("startDate={middle}&endDate={middle}"),
            until + from - all.len(),
        ),
    ] {
        let rows = api
            .pages(&format!("{EMAILS}&{filter}"), "emails", || {})
            .await;
        assert_eq!(rows.len(), expected, "{filter}");
    }
    for (status, count) in statuses(&all) {
        let path = format!("{EMAILS}&status={status}");
        let rows = api.pages(&path, "emails", || {}).await;
        assert_eq!(rows.len() as u64, count, "{status}");
    }
}

#[tokio::test]
async fn emails_are_written_in_every_variant() {
    let mut settings = usual(bulk(5));
    settings.api.email_body = Some(50_000);
    settings.api.dialect = Dialect {
        list_key: ListKey::Data,
        pagination: PaginationStyle::NextPageToken,
        recipients: Recipients::Object,
        ..Dialect::default()
    };
    let api = Api::new(settings);
    let (_, page) = api.get("/v1/Emails?pageSize=2").await;
    let row = &page["data"][1];
    assert!(row["to"]["address"].as_str().unwrap().contains("@example."));
    assert_eq!(row["content"]["html"].as_str().unwrap().len(), 50_000);
    assert_eq!(row["scheduledFor"], Value::Null);
    let token = page["pagination"]["nextPageToken"].as_str().unwrap();
    let (_, next) = api
        .get(&format!("/v1/Emails?pageSize=2&pageToken={token}"))
        .await;
    assert_ne!(next["data"][0]["id"], page["data"][1]["id"]);
}

#[tokio::test]
async fn a_scheduled_send_has_scheduled_emails() {
    let api = Api::new(SimulatorSettings::empty());
    let at = "2026-04-05T08:00:00Z";
    let to = json!([{"address": "a@example.com"}, {"address": "b@example.com"}]);
    let (_, sent) = api.post(&json!({"to": to, "scheduledFor": at})).await;
    let path = format!(
        "{EMAILS}&operationId={}",
        sent["operationId"].as_str().unwrap()
    );
    let rows = api.pages(&path, "emails", || {}).await;
    assert_eq!(
        statuses(&rows),
        BTreeMap::from([("scheduled".to_owned(), 2)])
    );
    assert_eq!(rows[0]["scheduledFor"], at);
    api.wait(Duration::from_hours(3));
    let rows = api.pages(&path, "emails", || {}).await;
    assert_eq!(rows[0]["scheduledFor"], at);
    assert!(rows[0]["updatedAt"].as_str().unwrap() > at);
}

#[tokio::test]
async fn without_open_tracking_no_email_is_opened() {
    let settings = usual(WorldSettings {
        tracks_opens: false,
        ..bulk(40)
    });
    let rows = Api::new(settings).pages(EMAILS, "emails", || {}).await;
    assert_eq!(statuses(&rows).get("opened"), None);
    assert!(statuses(&rows)["delivered"] > 100);
}

#[tokio::test]
async fn emails_of_a_scripted_operation_keep_their_ids() {
    let api = Api::new(SimulatorSettings::empty());
    let id = operation_id(Timestamp::from_millis(START), 7);
    let handle = api.simulator.handle();
    let put = |stats: Value| handle.put(Scripted::completed(id, stats));
    put(json!({"total": 3, "sent": 3}));
    let before = api.pages(EMAILS, "emails", || {}).await;
    api.wait(Duration::from_mins(1));
    put(json!({"total": 3, "delivered": 2, "undelivered": 1}));
    let after = api.pages(EMAILS, "emails", || {}).await;
    assert_eq!(ids(&after), ids(&before));
    assert_eq!(statuses(&after).len(), 2);
}

#[tokio::test]
async fn the_unfiltered_list_is_refused_and_the_filter_is_ignored_on_demand() {
    let api = Api::new(usual(bulk(5)));
    let handle = api.simulator.handle();
    let (_, list) = api.get("/v1/Emails/Operations").await;
    let id = list["operations"][0]["id"].as_str().unwrap();
    let own = format!("{EMAILS}&operationId={id}");
    handle.fault("unfiltered-emails=403".parse().unwrap());
    assert_eq!(api.get(EMAILS).await.0, StatusCode::FORBIDDEN);
    assert_eq!(api.get(&own).await.0, StatusCode::OK);
    handle.clear_faults();
    handle.fault("emails=ignore-operation".parse().unwrap());
    let rows = api.pages(&own, "emails", || {}).await;
    assert!(rows.iter().any(|row| row["operationId"] != id));
}

#[tokio::test]
async fn whole_pages_of_emails_are_recorded_on_demand_and_have_the_most_rows_of_the_settings() {
    let api = Api::new(SimulatorSettings {
        api: ApiSettings {
            most_rows: 7,
            ..ApiSettings::default()
        },
        ..settings(None)
    });
    let handle = api.simulator.handle();
    api.get(EMAILS).await;
    assert!(handle.take_pages().is_empty(), "nobody wants them");
    handle.record_pages();
    let (_, page) = api.get(EMAILS).await;
    assert_eq!(page["emails"].as_array().unwrap().len(), 7);
    for fault in ["emails=500:times=1", "emails=cut:times=1"] {
        handle.fault(fault.parse().unwrap());
        api.get(EMAILS).await;
    }
    api.get("/v1/Emails/Operations").await;
    let pages = handle.take_pages();
    assert_eq!(pages.len(), 1);
    let recorded: Value = serde_json::from_slice(&pages[0].body).unwrap();
    assert_eq!((recorded, &*pages[0].path), (page, EMAILS));
    assert!(handle.take_pages().is_empty());
}
