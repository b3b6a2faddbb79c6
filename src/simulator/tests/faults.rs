//! Faults, as a client meets them.

use std::collections::HashSet;

use super::*;

#[tokio::test]
async fn faults_strike_where_they_are_told_to() {
    let peer = Peer::new(usual(bulk(20)));
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

    let settings = SimulatorSettings {
        world: bulk(20),
        api: ApiSettings {
            faults: vec![Fault::new(Effect::Cut)],
            ..ApiSettings::default()
        },
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
