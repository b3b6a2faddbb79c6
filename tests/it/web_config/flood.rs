//! Wrong passwords under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::{SCRAPER, WebFiles};
use crate::support::client::client;
use crate::support::twilio::Twilio;

/// The clients that try passwords at the same time.
const ATTACKERS: usize = 40;
/// At the usual cost a check takes 70 ms in a release build and seconds in this one.
const COST: u32 = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrapes_go_on_while_others_try_passwords() {
    let twilio = Twilio::empty().await;
    let hash = bcrypt::hash(SCRAPER, COST).unwrap();
    let files = WebFiles::new(&format!("basic_auth_users: {{scraper: {hash}}}\n"));
    let exporter = files.exporter(&twilio).await;
    let url = exporter.url("/metrics");
    let scrape = || async {
        let began = Instant::now();
        let request = exporter
            .client
            .get(&url)
            .basic_auth("scraper", Some(SCRAPER));
        let status = request.send().await.unwrap().status();
        (status.as_u16(), began.elapsed())
    };
    assert_eq!(scrape().await.0, 200);
    let stop = Arc::new(AtomicBool::new(false));
    let [refused, busy] = [0, 0].map(|_| Arc::new(AtomicUsize::new(0)));
    let attackers: Vec<_> = (0..ATTACKERS)
        .map(|attacker| {
            let (stop, refused, busy) = (stop.clone(), refused.clone(), busy.clone());
            let (client, url) = (client(), url.clone());
            tokio::spawn(async move {
                for attempt in 0.. {
                    let name = if attempt % 2 == 0 { "scraper" } else { "admin" };
                    let password = format!("{attacker} {attempt}");
                    let request = client.get(&url).basic_auth(name, Some(password));
                    let response = request.send().await.unwrap();
                    match response.status().as_u16() {
                        401 => refused.fetch_add(1, Relaxed),
                        503 => {
                            assert_eq!(response.headers()["retry-after"], "1");
                            busy.fetch_add(1, Relaxed)
                        }
                        other => panic!("{other}"),
                    };
                    if stop.load(Relaxed) {
                        return;
                    }
                }
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    while refused.load(Relaxed) < 20 || busy.load(Relaxed) < 20 {
        let (status, took) = scrape().await;
        assert_eq!(status, 200);
        slowest = slowest.max(took);
    }
    stop.store(true, Relaxed);
    for attacker in attackers {
        attacker.await.unwrap();
    }
    assert!(
        slowest < Duration::from_secs(5),
        "a scrape took {slowest:?}"
    );
}
