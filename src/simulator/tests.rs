//! The API as a client meets it: requests to the router, with a clock that only moves when told.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::operation::{CountingMode, OperationId};

const START: i64 = 1_775_370_000_000;
/// `account:token`
const BASIC: &str = "Basic YWNjb3VudDp0b2tlbg==";

struct Peer {
    simulator: Simulator,
    clock: Arc<AtomicI64>,
}

impl Peer {
    fn new(settings: Settings) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let hands = Arc::clone(&clock);
        let now = move || Timestamp::from_millis(hands.load(Ordering::Relaxed));
        Self {
            simulator: Simulator::new(settings, now),
            clock,
        }
    }

    fn wait(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap();
        self.clock.fetch_add(millis, Ordering::Relaxed);
    }

    async fn ask(&self, request: Request<Body>) -> (StatusCode, HeaderMap, Vec<u8>) {
        let response = self.simulator.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await;
        let body = body.map(|body| body.to_vec()).unwrap_or_default();
        (parts.status, parts.headers, body)
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).header("authorization", BASIC);
        let (status, _, body) = self.ask(request.body(Body::empty()).unwrap()).await;
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn post(&self, body: &Value) -> (StatusCode, Value) {
        let request = Request::post("/v1/Emails").header("authorization", BASIC);
        let request = request.body(Body::from(body.to_string())).unwrap();
        let (status, _, body) = self.ask(request).await;
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// All pages of a list, with `between` done before each further page.
    async fn pages(&self, path: &str, key: &str, between: impl Fn()) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut token = String::new();
        for _ in 0..1000 {
            let (status, mut page) = self.get(&format!("{path}&pageToken={token}")).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            rows.append(page[key].as_array_mut().unwrap());
            match page["pagination"]["next"].as_str() {
                Some(next) => next.clone_into(&mut token),
                None => return rows,
            }
            between();
        }
        panic!("the list does not end");
    }
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

fn bulk(operations: u32) -> Settings {
    Settings {
        operations,
        active: operations / 20,
        ..Settings::empty()
    }
}

const LIST: &str = "/v1/Emails/Operations";

#[tokio::test]
async fn a_list_covers_everything_once_newest_first_while_operations_appear() {
    let settings = Settings {
        traffic: Some(Traffic::default()),
        speed: 3600.0,
        ..bulk(200)
    };
    let peer = Peer::new(settings);
    let all = peer
        .pages("/v1/Emails/Operations?pageSize=1000", "operations", || {})
        .await;
    assert!(all.len() >= 260);
    let before = ids(&all);
    assert!(before.is_sorted_by(|a, b| a > b));

    let moving = || peer.wait(Duration::from_secs(2));
    let paged = peer
        .pages("/v1/Emails/Operations?pageSize=7", "operations", moving)
        .await;
    assert_eq!(ids(&paged), before);
    let later = peer
        .pages("/v1/Emails/Operations?pageSize=1000", "operations", || {})
        .await;
    assert!(later.len() > all.len(), "operations appeared meanwhile");
    for row in &all {
        let id: OperationId = row["id"].as_str().unwrap().parse().unwrap();
        let (status, single) = peer.get(&format!("{LIST}/{id}")).await;
        assert_eq!(
            (status, &single["createdAt"]),
            (StatusCode::OK, &row["createdAt"])
        );
    }
}

#[tokio::test]
async fn the_same_seed_makes_the_same_account() {
    let listing = async |seed| {
        let settings = Settings {
            seed,
            ..Settings::default()
        };
        Peer::new(settings)
            .get("/v1/Emails/Operations?pageSize=1000")
            .await
            .1
    };
    assert_eq!(listing(7).await, listing(7).await);
    assert_ne!(listing(7).await, listing(8).await);
}

#[tokio::test]
async fn figures_add_up_by_either_reading() {
    for reading in CountingMode::ALL {
        let settings = Settings {
            traffic: Some(Traffic::default()),
            speed: 60.0,
            reading,
            ..bulk(100)
        };
        let peer = Peer::new(settings);
        peer.wait(Duration::from_mins(3));
        let rows = peer
            .pages("/v1/Emails/Operations?pageSize=100", "operations", || {})
            .await;
        for row in rows {
            let stat = |name: &str| row["stats"][name].as_u64().unwrap();
            let parts: u64 = [
                "scheduled",
                "queued",
                "sent",
                "delivered",
                "opened",
                "undelivered",
                "failed",
                "canceled",
            ]
            .map(stat)
            .iter()
            .sum();
            match reading {
                CountingMode::Exclusive => assert_eq!(parts, stat("total"), "{row}"),
                CountingMode::Cumulative => {
                    assert!(
                        stat("sent") >= stat("delivered") + stat("undelivered"),
                        "{row}"
                    );
                    assert!(
                        stat("delivered") >= stat("opened") && parts >= stat("total"),
                        "{row}"
                    );
                }
            }
            assert!(stat("recipients") >= stat("total"));
        }
    }
}

#[tokio::test]
async fn lists_filter_by_date_and_status() {
    let peer = Peer::new(Settings::default());
    let (_, all) = peer.get("/v1/Emails/Operations?pageSize=1000").await;
    let all = all["operations"].as_array().unwrap().clone();
    let middle = "2026-04-04T00:00:00Z";
    let (_, newer) = peer
        .get(&format!("{LIST}?pageSize=1000&startDate={middle}"))
        .await;
    let (_, older) = peer
        .get(&format!("{LIST}?pageSize=1000&endDate={middle}"))
        .await;
    let count = |page: &Value| page["operations"].as_array().unwrap().len();
    assert_eq!(count(&newer) + count(&older), all.len());
    assert!(count(&newer) > 0 && count(&older) > 0);
    for row in newer["operations"].as_array().unwrap() {
        assert!(row["createdAt"].as_str().unwrap() >= middle);
    }
    for (asked, word) in [("CANCELLED", "CANCELED"), ("completed", "COMPLETED")] {
        let (_, page) = peer
            .get(&format!("{LIST}?pageSize=1000&status={asked}"))
            .await;
        let expected = all.iter().filter(|row| row["status"] == word).count();
        assert_eq!(count(&page), expected);
        assert!(expected > 0, "{word}");
    }
}

#[tokio::test]
async fn what_is_too_old_is_gone() {
    let peer = Peer::new(bulk(50));
    let (_, page) = peer.get("/v1/Emails/Operations?pageSize=1000").await;
    let rows = page["operations"].as_array().unwrap();
    assert_eq!(rows.len(), 50);
    let oldest = ids(rows)[49];
    peer.wait(Duration::from_hours(6));
    let (status, error) = peer.get(&format!("{LIST}/{oldest}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(error["errors"][0]["code"], 20404);
    let (_, page) = peer.get("/v1/Emails/Operations?pageSize=1000").await;
    let left = page["operations"].as_array().unwrap();
    assert!(left.len() < 50 && !ids(left).contains(&oldest));
}

#[tokio::test]
async fn a_send_lives_like_a_campaign() {
    let peer = Peer::new(Settings::empty());
    let to: Vec<Value> = (0..300)
        .map(|_| json!({"address": "someone@example.com"}))
        .collect();
    let (status, sent) = peer
        .post(&json!({"to": to, "tags": {"campaign": "spring"}}))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let id = sent["operationId"].as_str().unwrap();
    assert_eq!(
        sent["operationLocation"],
        format!("http://localhost{LIST}/{id}")
    );
    let path = format!("{LIST}/{id}");
    let (_, new) = peer.get(&path).await;
    assert_eq!(
        (&new["status"], &new["stats"]["recipients"]),
        (&json!("PROCESSING"), &json!(300))
    );
    peer.wait(Duration::from_hours(1));
    let (_, done) = peer.get(&path).await;
    assert_eq!(
        (&done["status"], &done["stats"]["total"]),
        (&json!("COMPLETED"), &json!(300))
    );
    assert!(
        done["stats"]["opened"].as_u64() > Some(0)
            && done["updatedAt"].as_str() > new["updatedAt"].as_str()
    );

    let emails = format!("/v1/Emails?operationId={id}&pageSize=40");
    let rows = peer.pages(&emails, "emails", || {}).await;
    assert_eq!(ids(&rows).into_iter().collect::<HashSet<_>>().len(), 300);
    assert!(
        rows.iter()
            .all(|row| row["tags"]["campaign"] == "spring" && row["operationId"] == id)
    );
    let opened = rows.iter().filter(|row| row["status"] == "OPENED").count();
    assert_eq!(json!(opened), done["stats"]["opened"]);

    let (_, one) = peer
        .post(&json!({"to": {"address": "someone@example.com"}}))
        .await;
    assert!(one["operationId"].is_string());
    let everything = peer.pages("/v1/Emails?pageSize=64", "emails", || {}).await;
    assert!(everything.len() >= 300);
    for refused in [
        json!({}),
        json!({"to": []}),
        json!({"to": "x"}),
        json!({"to": vec![1; 10_001]}),
    ] {
        assert_eq!(peer.post(&refused).await.0, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn scripted_operations_are_shown_as_they_are() {
    let peer = Peer::new(bulk(3));
    let handle = peer.simulator.handle();
    let created = Timestamp::from_millis(START - 60_000);
    let id = operation_id(created, 99);
    let odd = json!({"total": -1, "delivered": 1.5, "bounced": "many"});
    handle.put(Scripted::completed(id, odd.clone()));
    let (_, row) = peer.get(&format!("{LIST}/{id}")).await;
    assert_eq!((&row["stats"], &row["status"]), (&odd, &json!("COMPLETED")));
    handle.put(json!({"id": id.to_string(), "status": "PAUSED"}));
    handle.put(json!({"status": "nameless"}));
    handle.put(json!("not even an object"));
    let (_, page) = peer.get(LIST).await;
    let rows = page["operations"].as_array().unwrap();
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().any(|row| row["status"] == "PAUSED"));

    let generated = rows[5]["id"].as_str().unwrap();
    handle.put(json!({"id": generated, "status": "PAUSED"}));
    let paused = peer.get(&format!("{LIST}?status=paused")).await.1;
    assert_eq!(paused["operations"].as_array().unwrap().len(), 2);
    assert!(handle.remove(generated) && !handle.remove(generated));
    assert_eq!(
        peer.get(&format!("{LIST}/{generated}")).await.0,
        StatusCode::NOT_FOUND
    );
    handle.clear();
    let (_, page) = peer.get(LIST).await;
    assert_eq!(page["operations"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn requests_are_counted_and_kept_without_credentials() {
    let peer = Peer::new(Settings::empty());
    let handle = peer.simulator.handle();
    let bare = Request::get("/v1/Emails/Operations?pageSize=1").header("user-agent", "tester/1");
    let (status, _, _) = peer.ask(bare.body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    peer.get("/v1/Emails/Operations/none").await;
    let counts = handle.counts();
    assert_eq!(
        (
            counts.total,
            counts.operations,
            counts.operation,
            counts.most_concurrent
        ),
        (2, 1, 1, 1)
    );
    let [first, second] = &handle.requests()[..] else {
        panic!("two requests");
    };
    assert_eq!(first.path, "/v1/Emails/Operations?pageSize=1");
    assert_eq!(first.user_agent.as_deref(), Some("tester/1"));
    assert!(!first.authorized && second.authorized);
    handle.set_logins(vec![Login::new("account", "another")]);
    assert_eq!(peer.get(LIST).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn faults_strike_where_they_are_told_to() {
    let peer = Peer::new(bulk(20));
    let handle = peer.simulator.handle();
    let fault = |text: &str| handle.fault(text.parse().unwrap());
    fault("list:page=2=503:retry-after-date=90:times=1");
    let (status, page) = peer.get("/v1/Emails/Operations?pageSize=8").await;
    assert_eq!(status, StatusCode::OK);
    let token = page["pagination"]["next"].as_str().unwrap();
    let second = format!("{LIST}?pageSize=8&pageToken={token}");
    let request = Request::get(&second).header("authorization", BASIC);
    let (status, headers, _) = peer.ask(request.body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(headers["retry-after"], "Sun, 05 Apr 2026 06:21:30 GMT");
    assert_eq!(peer.get(&second).await.0, StatusCode::OK);

    fault("empty:times=1");
    assert_eq!(peer.get(LIST).await.1["operations"], json!([]));
    fault("html:502:times=1");
    assert_eq!(peer.get(LIST).await, (StatusCode::BAD_GATEWAY, Value::Null));
    fault("list=repeat-token:times=2");
    let next = |page: Value| page["pagination"]["next"].as_str().unwrap().to_owned();
    let again = next(peer.get(LIST).await.1);
    let path = format!("{LIST}?pageToken={again}");
    assert_eq!(next(peer.get(&path).await.1), again);
    fault("endless");
    let mut seen = HashSet::new();
    let mut path = LIST.to_owned();
    for _ in 0..5 {
        let token = next(peer.get(&path).await.1);
        path = format!("{LIST}?pageToken={token}");
        assert!(seen.insert(token));
    }
    handle.clear_faults();
    assert_eq!(handle.faults(), []);
    fault("oversized:times=1");
    let request = Request::get(LIST).body(Body::empty()).unwrap();
    assert!(peer.ask(request).await.2.len() > 60 << 20);
}

#[tokio::test]
async fn a_cut_answer_promises_more_than_comes() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let settings = Settings {
        faults: vec![Fault::new(Effect::Cut)],
        ..bulk(20)
    };
    let router = Peer::new(settings).simulator.router();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {LIST} HTTP/1.1\r\nhost: x\r\nauthorization: {BASIC}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text).await;
    server.abort();
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let promised = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let promised: usize = promised.unwrap().parse().unwrap();
    assert_eq!(body.len(), promised / 2);
}
