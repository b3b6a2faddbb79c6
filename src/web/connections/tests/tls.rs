//! Encrypted connections.

use rustls::pki_types::ServerName;

use super::encrypted::{Encrypted, Identity, get_h2, text_of, until_gone};
use super::*;

#[tokio::test(start_paused = true)]
async fn the_protocol_is_the_one_that_client_and_exporter_agree_on() {
    let both = ["h2", "http/1.1"];
    for (offered, wanted, http_2) in [
        (&both[..], &both[..], true),
        (&both, &both[1..], false),
        (&both, &[], false),
        (&both[1..], &both, false),
    ] {
        let encrypted = Encrypted::new(offered);
        let connector = encrypted.identity.connector(wanted, None);
        let mut stream = encrypted.connect(connector).await;
        let protocol = stream.get_ref().1.alpn_protocol();
        assert_eq!(protocol == Some(b"h2"), http_2, "{offered:?} {wanted:?}");
        if http_2 {
            let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            let response = get_h2(&mut client, "/quick").await;
            assert_eq!(text_of(response).await, "quick");
        } else {
            for _ in 0..2 {
                stream.write_all(GET).await.unwrap();
                let mut text = Vec::new();
                while !text.ends_with(b"quick") {
                    assert!(stream.read_buf(&mut text).await.unwrap() > 0, "{text:?}");
                }
            }
        }
        assert_eq!(encrypted.scene.closed(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_carry_the_certificates_of_their_client() {
    let encrypted = Encrypted::new(&["h2"]);
    let own = Identity::new();
    for (own, shown) in [(None, "Some([])"), (Some(&own), "Some([CertificateDer(")] {
        let connector = encrypted.identity.connector(&["h2"], own);
        let stream = encrypted.connect(connector).await;
        let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let text = text_of(get_h2(&mut client, "/client").await).await;
        assert!(text.contains(shown), "{text}");
        assert!(text.contains("address: Unix"), "{text}");
    }
    let scene = Scene::new(LIMITS);
    let mut client = scene
        .connect_and_send(b"GET /client HTTP/1.0\r\n\r\n")
        .await;
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap();
    assert!(text.contains("certificates: None"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn each_connection_gets_the_current_certificate() {
    let mut encrypted = Encrypted::new(&[]);
    let connector = encrypted.identity.connector(&[], None);
    let mut before = encrypted.connect(connector.clone()).await;
    encrypted.identity = Identity::new();
    *encrypted.source.0.write() = encrypted.identity.server(&[]);
    let name = ServerName::try_from("localhost").unwrap();
    let refused = connector.connect(name, encrypted.scene.connect()).await;
    assert!(
        refused.is_err(),
        "the old certificate is trusted, not the new one"
    );
    let mut after = encrypted
        .connect(encrypted.identity.connector(&[], None))
        .await;
    for stream in [&mut before, &mut after] {
        stream.write_all(GET).await.unwrap();
        let mut text = Vec::new();
        while !text.ends_with(b"quick") {
            assert!(stream.read_buf(&mut text).await.unwrap() > 0, "{text:?}");
        }
    }
    // The client's alert.
    assert_eq!(encrypted.scene.closed(), [("tls_handshake", 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_fails_or_lasts_too_long_is_counted_and_delays_nobody() {
    let encrypted = Encrypted::new(&[]);
    let mut plain = encrypted.scene.connect_and_send(GET).await;
    assert_eq!(until_closed(&mut plain).await, Duration::ZERO);
    assert_eq!(encrypted.scene.closed(), [("tls_handshake", 1)]);
    let mut silent = encrypted.scene.connect();
    let mut half = encrypted.scene.connect_and_send(b"\x16\x03\x01").await;
    // Others are served while it waits.
    let mut other = encrypted
        .connect(encrypted.identity.connector(&[], None))
        .await;
    other.write_all(GET).await.unwrap();
    let mut text = Vec::new();
    while !text.ends_with(b"quick") {
        assert!(other.read_buf(&mut text).await.unwrap() > 0, "{text:?}");
    }
    about(
        LIMITS.request,
        until_closed(&mut silent).await + Duration::from_millis(1),
    );
    until_closed(&mut half).await;
    assert_eq!(encrypted.scene.closed(), [("tls_handshake", 3)]);
    // A client that disconnects was not disconnected by the exporter.
    drop(encrypted.scene.connect_and_send(b"\x16\x03\x01").await);
    sleep(Duration::from_secs(20)).await;
    assert_eq!(encrypted.scene.closed(), [("tls_handshake", 3)]);
}

#[tokio::test(start_paused = true)]
async fn an_encrypted_connection_without_a_request_is_closed() {
    let encrypted = Encrypted::new(&["h2"]);
    let mut http_1 = encrypted
        .connect(encrypted.identity.connector(&[], None))
        .await;
    http_1.write_all(b"GET / HT").await.unwrap();
    let mut http_2 = encrypted.http_2(1_000_000).await;
    about(LIMITS.request, until_gone(&mut http_2).await);
    let _ = http_1.read_to_end(&mut Vec::new()).await;
    assert_eq!(encrypted.scene.closed(), [("no_request", 2)]);
}
