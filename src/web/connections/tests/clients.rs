//! Clients with many connections.

use super::*;

fn tcp(text: &str) -> ClientAddress {
    ClientAddress::tcp(text.parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_client_with_too_many_connections_loses_its_own_idle_ones() {
    let limits = ConnectionLimits {
        connections: 10,
        ..LIMITS
    };
    let scene = Scene::new(limits);
    let mut other = scene.connect_from(tcp("192.0.2.2:1"));
    sleep(Duration::from_secs(1)).await;
    let mut first = scene.connect_from(tcp("192.0.2.1:1"));
    sleep(Duration::from_secs(1)).await;
    let mut second = scene.connect_from(tcp("192.0.2.1:2"));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(scene.closed(), []);
    // The same client, over IPv6.
    let mut third = scene.connect_from(tcp("[::ffff:192.0.2.1]:3"));
    assert_eq!(until_closed(&mut first).await, Duration::ZERO);
    assert_eq!(scene.closed(), [("too_many_of_client", 1)]);
    for client in [&mut other, &mut second, &mut third] {
        client.write_all(GET).await.unwrap();
        read_quick(client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_connections_all_wait_for_responses_gets_no_further_one() {
    let scene = Scene::new(LIMITS);
    let mut waiting = Vec::new();
    for port in 1..=2 {
        let mut client = scene.connect_from(tcp(&format!("192.0.2.1:{port}")));
        client.write_all(GET_SLOW).await.unwrap();
        sleep(Duration::from_millis(1)).await;
        waiting.push(client);
    }
    let mut refused = scene.connect_from(tcp("192.0.2.1:3"));
    assert_eq!(until_closed(&mut refused).await, Duration::ZERO);
    assert_eq!(scene.closed(), [("too_many_of_client", 1)]);
    let mut other = scene.connect_from(tcp("192.0.2.2:1"));
    other.write_all(GET).await.unwrap();
    read_quick(&mut other).await;
    for client in &mut waiting {
        scene.go.notify_one();
        let mut text = Vec::new();
        while !text.ends_with(b"late") {
            assert!(client.read_buf(&mut text).await.unwrap() > 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unix_sockets_have_no_limit_per_client() {
    let scene = Scene::new(LIMITS);
    let mut clients: Vec<_> = (0..3).map(|_| scene.connect()).collect();
    for client in &mut clients {
        client.write_all(GET).await.unwrap();
        read_quick(client).await;
    }
    assert_eq!(scene.closed(), []);
}

#[tokio::test(start_paused = true)]
async fn the_connection_whose_client_did_not_read_for_longest_makes_room() {
    let scene = Scene::new(LIMITS);
    assert!(!scene.connections.close_unread());
    let mut first = scene.connect_and_send(GET_LARGE).await;
    sleep(Duration::from_millis(100)).await;
    let _second = scene.connect_and_send(GET_LARGE).await;
    assert!(!scene.connections.close_unread(), "they may still read");
    sleep(Duration::from_secs(2)).await;
    assert!(scene.connections.close_unread());
    let mut rest = Vec::new();
    let _ = first.read_to_end(&mut rest).await;
    assert!(rest.len() <= PIPE, "{}", rest.len());
    assert_eq!(scene.closed(), [("not_read", 1)]);
}

#[tokio::test(start_paused = true)]
async fn the_addresses_of_an_ipv6_network_share_one_limit() {
    let limits = ConnectionLimits {
        connections: 10,
        ..LIMITS
    };
    let scene = Scene::new(limits);
    let mut other = scene.connect_from(tcp("[2001:db8:0:1::1]:1"));
    sleep(Duration::from_secs(1)).await;
    let mut first = scene.connect_from(tcp("[2001:db8::1]:1"));
    sleep(Duration::from_secs(1)).await;
    let mut second = scene.connect_from(tcp("[2001:db8::2]:1"));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(scene.closed(), []);
    let mut third = scene.connect_from(tcp("[2001:db8::3]:1"));
    assert_eq!(until_closed(&mut first).await, Duration::ZERO);
    assert_eq!(scene.closed(), [("too_many_of_client", 1)]);
    for client in [&mut other, &mut second, &mut third] {
        client.write_all(GET).await.unwrap();
        read_quick(client).await;
    }
}
