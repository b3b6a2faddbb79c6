//! Requests that are not valid HTTP, or that a proxy may read differently.

use super::*;
use crate::exposition::Refused;

/// Everything received until the connection is closed.
async fn response_to(scene: &Scene, request: &[u8]) -> String {
    let mut client = scene.connect_and_send(request).await;
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test(start_paused = true)]
async fn a_malformed_request_and_a_large_head_are_refused_and_counted() {
    let scene = Scene::new(LIMITS);
    let began = Instant::now();
    let text = response_to(&scene, b"nonsense\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
    assert_eq!(scene.closed(), [("malformed", 1)]);
    let many = format!("GET /quick HTTP/1.1\r\n{}\r\n", "a:b\r\n".repeat(101));
    let text = response_to(&scene, many.as_bytes()).await;
    assert!(text.starts_with("HTTP/1.1 431 "), "{text}");
    assert_eq!(scene.closed(), [("malformed", 1), ("large_head", 1)]);
    assert!(began.elapsed() < LIMITS.request);
}

#[tokio::test(start_paused = true)]
async fn bodies_that_are_refused_are_counted() {
    let scene = Scene::new(LIMITS);
    let counts = || Refused::ALL.map(|reason| scene.instruments.refusals(reason));
    assert_eq!(counts(), [0, 0, 0, 0, 0, 0, 0]);
    response_to(&scene, b"GET /large-body HTTP/1.0\r\n\r\n").await;
    assert_eq!(counts(), [0, 1, 0, 0, 0, 0, 0]);
    response_to(&scene, b"GET /slow-body HTTP/1.0\r\n\r\n").await;
    assert_eq!(counts(), [0, 1, 1, 0, 0, 0, 0]);
    assert_eq!(scene.closed(), []);
}

#[tokio::test(start_paused = true)]
async fn a_request_with_two_lengths_is_the_last_one_of_its_connection() {
    let scene = Scene::new(LIMITS);
    let smuggled = "GET /client HTTP/1.1\r\nHost: x\r\n\r\n";
    let length = format!("Content-Length: {}\r\n", 5 + smuggled.len());
    let chunked = "Transfer-Encoding: chunked\r\n";
    for headers in [format!("{length}{chunked}"), format!("{chunked}{length}")] {
        let request = format!("GET /quick HTTP/1.1\r\nHost: x\r\n{headers}\r\n0\r\n\r\n{smuggled}");
        let text = response_to(&scene, request.as_bytes()).await;
        assert_eq!(text.matches("HTTP/1.1").count(), 1, "{text}");
        assert!(text.contains("connection: close\r\n"), "{text}");
    }
}
