//! Lists of operations: complete, in order, filtered.

use super::*;

#[tokio::test]
async fn a_list_contains_every_operation_once_newest_first_while_operations_appear() {
    let api = Api::new(usual(WorldSettings {
        traffic: Some(Traffic::default()),
        speed: 3600.0,
        ..bulk(200)
    }));
    let all = api
        .pages("/v1/Emails/Operations?pageSize=1000", "operations", || {})
        .await;
    assert!(all.len() >= 260);
    let before = ids(&all);
    assert!(before.is_sorted_by(|a, b| a > b));

    let moving = || api.wait(Duration::from_secs(2));
    let paged = api
        .pages("/v1/Emails/Operations?pageSize=7", "operations", moving)
        .await;
    assert_eq!(ids(&paged), before);
    let later = api
        .pages("/v1/Emails/Operations?pageSize=1000", "operations", || {})
        .await;
    assert!(later.len() > all.len(), "operations appeared meanwhile");
    for row in &all {
        let id: OperationId = row["id"].as_str().unwrap().parse().unwrap();
        let (status, single) = api.get(&format!("{LIST}/{id}")).await;
        assert_eq!(
            (status, &single["createdAt"]),
            (StatusCode::OK, &row["createdAt"])
        );
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_account() {
    let listing = async |seed| {
        let world = WorldSettings {
            seed,
            ..WorldSettings::default()
        };
        Api::new(usual(world))
            .get("/v1/Emails/Operations?pageSize=1000")
            .await
            .1
    };
    assert_eq!(listing(7).await, listing(7).await);
    assert_ne!(listing(7).await, listing(8).await);
}

#[tokio::test]
async fn stats_add_up_in_both_counting_modes() {
    for reading in CountingMode::ALL {
        let settings = SimulatorSettings {
            world: WorldSettings {
                traffic: Some(Traffic::default()),
                speed: 60.0,
                ..bulk(100)
            },
            api: ApiSettings {
                reading,
                ..ApiSettings::default()
            },
        };
        let api = Api::new(settings);
        api.wait(Duration::from_mins(3));
        let rows = api
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
    let api = Api::new(SimulatorSettings::default());
    let (_, all) = api.get("/v1/Emails/Operations?pageSize=1000").await;
    let all = all["operations"].as_array().unwrap().clone();
    let middle = "2026-04-04T00:00:00Z";
    let (_, newer) = api
        .get(&format!("{LIST}?pageSize=1000&startDate={middle}"))
        .await;
    let (_, older) = api
        .get(&format!("{LIST}?pageSize=1000&endDate={middle}"))
        .await;
    let count = |page: &Value| page["operations"].as_array().unwrap().len();
    assert_eq!(count(&newer) + count(&older), all.len());
    assert!(count(&newer) > 0 && count(&older) > 0);
    for row in newer["operations"].as_array().unwrap() {
        assert!(row["createdAt"].as_str().unwrap() >= middle);
    }
    for (asked, word) in [("CANCELLED", "CANCELED"), ("completed", "COMPLETED")] {
        let (_, page) = api
            .get(&format!("{LIST}?pageSize=1000&status={asked}"))
            .await;
        let expected = all.iter().filter(|row| row["status"] == word).count();
        assert_eq!(count(&page), expected);
        assert!(expected > 0, "{word}");
    }
}

#[tokio::test]
async fn an_expired_operation_is_not_found_and_not_listed() {
    let api = Api::new(usual(bulk(50)));
    let (_, page) = api.get("/v1/Emails/Operations?pageSize=1000").await;
    let rows = page["operations"].as_array().unwrap();
    assert_eq!(rows.len(), 50);
    let oldest = ids(rows)[49];
    api.wait(Duration::from_hours(6));
    let (status, error) = api.get(&format!("{LIST}/{oldest}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(error["errors"][0]["code"], 20404);
    let (_, page) = api.get("/v1/Emails/Operations?pageSize=1000").await;
    let left = page["operations"].as_array().unwrap();
    assert!(left.len() < 50 && !ids(left).contains(&oldest));
}
