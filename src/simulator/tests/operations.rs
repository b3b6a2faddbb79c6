//! Operations that a client sends or a test adds, and the recorded requests.

use std::collections::HashSet;

use super::*;

#[tokio::test]
async fn a_sent_operation_is_processed_and_completed() {
    let api = Api::new(SimulatorSettings::empty());
    let to: Vec<Value> = (0..300)
        .map(|_| json!({"address": "someone@example.com"}))
        .collect();
    let (status, sent) = api
        .post(&json!({"to": to, "tags": {"campaign": "spring"}}))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let id = sent["operationId"].as_str().unwrap();
    assert_eq!(
        sent["operationLocation"],
        format!("http://localhost{LIST}/{id}")
    );
    let path = format!("{LIST}/{id}");
    let (_, new) = api.get(&path).await;
    assert_eq!(
        (&new["status"], &new["stats"]["recipients"]),
        (&json!("PROCESSING"), &json!(300))
    );
    api.wait(Duration::from_hours(1));
    let (_, done) = api.get(&path).await;
    assert_eq!(
        (&done["status"], &done["stats"]["total"]),
        (&json!("COMPLETED"), &json!(300))
    );
    assert!(
        done["stats"]["opened"].as_u64() > Some(0)
            && done["updatedAt"].as_str() > new["updatedAt"].as_str()
    );

    let emails = format!("/v1/Emails?operationId={id}&pageSize=40");
    let rows = api.pages(&emails, "emails", || {}).await;
    assert_eq!(ids(&rows).into_iter().collect::<HashSet<_>>().len(), 300);
    assert!(
        rows.iter()
            .all(|row| row["tags"]["campaign"] == "spring" && row["operationId"] == id)
    );
    let opened = rows.iter().filter(|row| row["status"] == "OPENED").count();
    assert_eq!(json!(opened), done["stats"]["opened"]);

    let (_, one) = api
        .post(&json!({"to": {"address": "someone@example.com"}}))
        .await;
    assert!(one["operationId"].is_string());
    let everything = api.pages("/v1/Emails?pageSize=64", "emails", || {}).await;
    assert!(everything.len() >= 300);
    for refused in [
        json!({}),
        json!({"to": []}),
        json!({"to": "x"}),
        json!({"to": vec![1; 10_001]}),
    ] {
        assert_eq!(api.post(&refused).await.0, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn scripted_operations_are_returned_unchanged() {
    let api = Api::new(usual(bulk(3)));
    let handle = api.simulator.handle();
    let created = Timestamp::from_millis(START - 60_000);
    let id = operation_id(created, 99);
    let odd = json!({"total": -1, "delivered": 1.5, "bounced": "many"});
    handle.put(Scripted::completed(id, odd.clone()));
    let (_, row) = api.get(&format!("{LIST}/{id}")).await;
    assert_eq!((&row["stats"], &row["status"]), (&odd, &json!("COMPLETED")));
    handle.put(json!({"id": id.to_string(), "status": "PAUSED"}));
    handle.put(json!({"status": "nameless"}));
    handle.put(json!("not even an object"));
    let (_, page) = api.get(LIST).await;
    let rows = page["operations"].as_array().unwrap();
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().any(|row| row["status"] == "PAUSED"));

    let generated = rows[5]["id"].as_str().unwrap();
    handle.put(json!({"id": generated, "status": "PAUSED"}));
    let paused = api.get(&format!("{LIST}?status=paused")).await.1;
    assert_eq!(paused["operations"].as_array().unwrap().len(), 2);
    assert!(handle.remove(generated) && !handle.remove(generated));
    assert_eq!(
        api.get(&format!("{LIST}/{generated}")).await.0,
        StatusCode::NOT_FOUND
    );
    handle.clear();
    let (_, page) = api.get(LIST).await;
    assert_eq!(page["operations"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn requests_are_counted_and_recorded_without_credentials() {
    let api = Api::new(SimulatorSettings::empty());
    let handle = api.simulator.handle();
    let bare = Request::get("/v1/Emails/Operations?pageSize=1").header("user-agent", "tester/1");
    let (status, _, _) = api.send(bare.body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    api.get("/v1/Emails/Operations/none").await;
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
    handle.set_logins(vec![BasicLogin::new("account", "another")]);
    assert_eq!(api.get(LIST).await.0, StatusCode::UNAUTHORIZED);
}
