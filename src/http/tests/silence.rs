//! Connections on which the server stops responding.

use super::*;

/// An HTTP/2 server that responds to `requests` requests and only reads the others.
async fn respond_then_only_read(stream: TcpStream, requests: usize) {
    let mut connection = h2::server::handshake(stream).await.unwrap();
    let mut unanswered = Vec::new();
    let mut answered = 0;
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        if answered < requests {
            answered += 1;
            respond
                .send_response(hyper::Response::new(()), true)
                .unwrap();
        } else {
            unanswered.push(respond);
        }
    }
}

#[tokio::test]
async fn the_connection_of_a_request_that_times_out_is_not_used_again() {
    let (address, connections) =
        server(|stream, before| respond_then_only_read(stream, if before == 0 { 1 } else { 100 }))
            .await;
    let (client, url) = (http2(), format!("http://{address}/"));
    assert_eq!(request(&client, &url, SOON).await, Some(Ok(200)));
    assert_eq!(
        request(&client, &url, Duration::from_millis(200)).await,
        None
    );
    for _ in 0..3 {
        assert_eq!(request(&client, &url, SOON).await, Some(Ok(200)));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_connection_of_a_canceled_request_is_not_used_again() {
    let (address, connections) = server(respond_then_only_read).await;
    let (client, url) = (http2(), format!("http://{address}/"));
    tokio::select! {
        _ = request(&client, &url, SOON) => panic!("answered"),
        () = tokio::time::sleep(Duration::from_millis(200)) => {}
    }
    assert_eq!(request(&client, &url, SOON).await, Some(Ok(200)));
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn current_requests_of_a_replaced_pool_finish() {
    let (address, _) = server(|stream, _| async move {
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let mut first = None;
        while let Some(Ok((_, respond))) = connection.accept().await {
            if first.is_none() {
                first = Some(respond);
                continue;
            }
            drop(respond);
            // The second request has finished; now the first gets its response.
            tokio::time::sleep(Duration::from_millis(300)).await;
            let mut first = first.take().unwrap();
            first.send_response(hyper::Response::new(()), true).unwrap();
        }
    })
    .await;
    let (client, url) = (http2(), format!("http://{address}/"));
    let second = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        request(&client, &url, Duration::from_millis(100)).await
    };
    let (first, _) = tokio::join!(request(&client, &url, SOON), second);
    assert_eq!(first, Some(Ok(200)));
}

#[tokio::test]
async fn an_idle_connection_without_responses_to_pings_is_closed() {
    let (closed, mut notified) = tokio::sync::mpsc::unbounded_channel();
    let (address, _) = server(move |stream, _| {
        let closed = closed.clone();
        async move {
            respond_with_frames(stream, frame(HEADERS, WHOLE, 1, STATUS_200)).await;
            closed.send(()).unwrap();
        }
    })
    .await;
    let (client, url) = (http2(), format!("http://{address}/"));
    assert_eq!(request(&client, &url, SOON).await, Some(Ok(200)));
    // From here on only timers run.
    tokio::time::pause();
    let answered = tokio::time::Instant::now();
    notified.recv().await.unwrap();
    let took = answered.elapsed();
    assert!(took < Duration::from_secs(25), "closed after {took:?}");
}

#[tokio::test]
async fn a_connection_that_rejects_a_request_is_not_used_again() {
    let (address, connections) = server(|stream, before| async move {
        if before == 0 {
            // REFUSED_STREAM.
            respond_with_frames(stream, frame(RST_STREAM, 0, 1, &[0, 0, 0, 7])).await;
        } else {
            respond_then_only_read(stream, 100).await;
        }
    })
    .await;
    let (client, url) = (http2(), format!("http://{address}/"));
    let refused = failure(&client, &url).await;
    assert!(matches!(refused, NoResponse::Protocol(_)), "{refused:?}");
    for _ in 0..3 {
        assert_eq!(request(&client, &url, SOON).await, Some(Ok(200)));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}
