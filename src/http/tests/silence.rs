//! Connections on which the server does not answer any more.

use super::*;

/// Answers `requests` requests of HTTP/2 and then none, though it reads them.
async fn answer_then_fall_silent(stream: TcpStream, requests: usize) {
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
async fn a_request_that_is_not_answered_in_time_takes_its_connection_with_it() {
    let (address, connections) =
        server(|stream, before| answer_then_fall_silent(stream, if before == 0 { 1 } else { 100 }))
            .await;
    let (client, url) = (http2(), format!("http://{address}/"));
    assert_eq!(ask(&client, &url, SOON).await, Some(Ok(200)));
    assert_eq!(ask(&client, &url, Duration::from_millis(200)).await, None);
    for _ in 0..3 {
        assert_eq!(ask(&client, &url, SOON).await, Some(Ok(200)));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn whoever_stops_waiting_takes_the_connection_along_as_well() {
    let (address, connections) = server(answer_then_fall_silent).await;
    let (client, url) = (http2(), format!("http://{address}/"));
    tokio::select! {
        _ = ask(&client, &url, SOON) => panic!("answered"),
        () = tokio::time::sleep(Duration::from_millis(200)) => {}
    }
    assert_eq!(ask(&client, &url, SOON).await, Some(Ok(200)));
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn requests_that_are_under_way_outlive_a_connection_that_is_given_up() {
    let (address, _) = server(|stream, _| async move {
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let mut first = None;
        while let Some(Ok((_, respond))) = connection.accept().await {
            if first.is_none() {
                first = Some(respond);
                continue;
            }
            drop(respond);
            // The second request is over; now the first is answered.
            tokio::time::sleep(Duration::from_millis(300)).await;
            let mut first = first.take().unwrap();
            first.send_response(hyper::Response::new(()), true).unwrap();
        }
    })
    .await;
    let (client, url) = (http2(), format!("http://{address}/"));
    let second = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        ask(&client, &url, Duration::from_millis(100)).await
    };
    let (first, _) = tokio::join!(ask(&client, &url, SOON), second);
    assert_eq!(first, Some(Ok(200)));
}

#[tokio::test]
async fn an_idle_connection_that_answers_no_ping_is_closed() {
    let (closed, mut told) = tokio::sync::mpsc::unbounded_channel();
    let (address, _) = server(move |stream, _| {
        let closed = closed.clone();
        async move {
            answer_with_frames(stream, frame(HEADERS, WHOLE, 1, STATUS_200)).await;
            closed.send(()).unwrap();
        }
    })
    .await;
    let (client, url) = (http2(), format!("http://{address}/"));
    assert_eq!(ask(&client, &url, SOON).await, Some(Ok(200)));
    // From here on only timers move.
    tokio::time::pause();
    let answered = tokio::time::Instant::now();
    told.recv().await.unwrap();
    let took = answered.elapsed();
    assert!(took < Duration::from_secs(25), "closed after {took:?}");
}

#[tokio::test]
async fn a_connection_that_refuses_a_request_gets_no_other_one() {
    let (address, connections) = server(|stream, before| async move {
        if before == 0 {
            // REFUSED_STREAM.
            answer_with_frames(stream, frame(RST_STREAM, 0, 1, &[0, 0, 0, 7])).await;
        } else {
            answer_then_fall_silent(stream, 100).await;
        }
    })
    .await;
    let (client, url) = (http2(), format!("http://{address}/"));
    let refused = failure(&client, &url).await;
    assert!(matches!(refused, NoResponse::Protocol(_)), "{refused:?}");
    for _ in 0..3 {
        assert_eq!(ask(&client, &url, SOON).await, Some(Ok(200)));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}
