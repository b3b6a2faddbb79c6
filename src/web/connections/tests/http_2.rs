//! HTTP/2 on encrypted connections.

use super::encrypted::{Encrypted, get_h2, text_of, until_gone};
use super::*;

#[tokio::test(start_paused = true)]
async fn an_idle_connection_of_http_2_is_closed_at_its_limit_though_its_client_pings() {
    let encrypted = Encrypted::new(&["h2"]);
    let connector = encrypted.identity.connector(&["h2"], None);
    let stream = encrypted.connect(connector).await;
    let (mut client, mut connection) = h2::client::handshake(stream).await.unwrap();
    let mut pings = connection.ping_pong().unwrap();
    tokio::spawn(connection);
    for pause in [0, 15, 60, 299] {
        sleep(Duration::from_secs(pause)).await;
        assert_eq!(text_of(get_h2(&mut client, "/quick").await).await, "quick");
    }
    let began = Instant::now();
    while pings.ping(h2::Ping::opaque()).await.is_ok() {
        sleep(Duration::from_secs(7)).await;
    }
    let took = began.elapsed();
    assert!(
        (LIMITS.idle..LIMITS.idle + Duration::from_secs(8)).contains(&took),
        "{took:?}"
    );
    assert_eq!(encrypted.scene.closed(), [("idle", 1)]);
}

#[tokio::test(start_paused = true)]
async fn over_http_2_a_response_may_take_long_and_others_overtake_it() {
    let encrypted = Encrypted::new(&["h2"]);
    let mut client = encrypted.http_2(1_000_000).await;
    let slow = get_h2(&mut client, "/slow").await;
    sleep(Duration::from_mins(20)).await;
    assert_eq!(text_of(get_h2(&mut client, "/quick").await).await, "quick");
    sleep(Duration::from_mins(20)).await;
    encrypted.scene.go.notify_one();
    assert_eq!(text_of(slow).await, "late");
    assert_eq!(encrypted.scene.closed(), []);
}

#[tokio::test(start_paused = true)]
async fn over_http_2_a_client_that_does_not_read_is_disconnected_and_one_that_reads_slowly_is_not()
{
    let encrypted = Encrypted::new(&["h2"]);
    // The client has room for only a part of the response.
    let mut client = encrypted.http_2(16 * 1024).await;
    let began = Instant::now();
    let response = get_h2(&mut client, "/huge").await.await.unwrap();
    let mut body = response.into_body();
    let mut read = 0;
    while let Some(data) = body.data().await {
        let data = data.unwrap();
        read += data.len();
        sleep(Duration::from_secs(50)).await;
        body.flow_control().release_capacity(data.len()).unwrap();
    }
    assert_eq!(read, 10 * LARGE);
    assert!(began.elapsed() > 4 * LIMITS.write, "{:?}", began.elapsed());
    assert_eq!(encrypted.scene.closed(), []);
    let unread = get_h2(&mut client, "/huge").await.await.unwrap();
    about(LIMITS.write, until_gone(&mut client).await);
    drop(unread);
    assert_eq!(encrypted.scene.closed(), [("not_read", 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_has_a_limit_of_requests_and_of_their_heads() {
    let encrypted = Encrypted::new(&["h2"]);
    let mut client = encrypted.http_2(1_000_000).await;
    assert_eq!(text_of(get_h2(&mut client, "/quick").await).await, "quick");
    assert_eq!(client.current_max_send_streams(), 64);
    let request = hyper::Request::get("https://localhost/quick").header("x", "x".repeat(20_000));
    let (response, _) = client
        .send_request(request.body(()).unwrap(), true)
        .unwrap();
    assert_eq!(response.await.unwrap().status(), 431);
    assert_eq!(text_of(get_h2(&mut client, "/quick").await).await, "quick");
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_responses_over_http_2() {
    let encrypted = Encrypted::new(&["h2"]);
    let mut client = encrypted.http_2(1_000_000).await;
    let slow = get_h2(&mut client, "/slow").await;
    let mut idle = encrypted.http_2(1_000_000).await;
    assert_eq!(text_of(get_h2(&mut idle, "/quick").await).await, "quick");
    let _handshake = encrypted.scene.connect();
    sleep(Duration::from_millis(1)).await;
    encrypted.scene.stop.send_replace(true);
    assert!(until_gone(&mut idle).await < Duration::from_millis(5));
    assert!(!encrypted.scene.serving.is_finished());
    encrypted.scene.go.notify_one();
    assert_eq!(text_of(slow).await, "late");
    encrypted.scene.serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_resets_requests_rapidly_is_disconnected_and_counted() {
    let encrypted = Encrypted::new(&["h2"]);
    let mut client = encrypted.http_2(1_000_000).await;
    for _ in 0..2000 {
        let request = hyper::Request::get("https://localhost/slow")
            .body(())
            .unwrap();
        let Ok(ready) = client.clone().ready().await else {
            break;
        };
        client = ready;
        let Ok((_, mut stream)) = client.send_request(request, true) else {
            break;
        };
        stream.send_reset(h2::Reason::CANCEL);
    }
    until_gone(&mut client).await;
    assert_eq!(encrypted.scene.closed(), [("malformed", 1)]);
}
