//! Versions of TLS and HTTP.

use reqwest::Version;

use super::{WebFiles, https, tls};
use crate::support::twilio::Twilio;

#[tokio::test]
async fn http_2_is_served_over_tls_unless_it_is_off() {
    let twilio = Twilio::empty().await;
    for (yaml, version) in [
        (tls(""), Version::HTTP_2),
        (
            tls("") + "http_server_config: {http2: false}\n",
            Version::HTTP_11,
        ),
    ] {
        let files = WebFiles::new(&yaml);
        let exporter = files.exporter(&twilio).await;
        let request = files.client(None).get(https(&exporter, "/metrics"));
        let response = request.send().await.unwrap();
        assert_eq!(
            (response.version(), response.status().as_u16()),
            (version, 200)
        );
        let text = response.text().await.unwrap();
        assert!(text.contains("twilio_email_up"), "{text}");
        let http_1 = files.client_with(None, reqwest::ClientBuilder::http1_only);
        let response = http_1.get(https(&exporter, "/metrics")).send().await;
        assert_eq!(response.unwrap().version(), Version::HTTP_11);
    }
}

#[tokio::test]
async fn a_client_without_tls_is_not_served() {
    let twilio = Twilio::empty().await;
    let files = WebFiles::new(&tls(""));
    let exporter = files.exporter(&twilio).await;
    let plain = exporter.client.get(exporter.url("/metrics")).send().await;
    assert!(plain.is_err(), "{plain:?}");
    let stranger = WebFiles::new("");
    let untrusted = stranger
        .client(None)
        .get(https(&exporter, "/metrics"))
        .send()
        .await;
    assert!(
        untrusted.is_err(),
        "the certificate is of another authority"
    );
}

#[tokio::test]
async fn only_versions_between_min_and_max_are_served() {
    use reqwest::tls::Version as Tls;
    let twilio = Twilio::empty().await;
    for (keys, expected) in [
        ("", [true, true]),
        ("min_version: TLS13", [false, true]),
        ("max_version: TLS12", [true, false]),
        ("cipher_suites: [TLS_AES_128_GCM_SHA256]", [false, true]),
        (
            "cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\ncurve_preferences: [CurveP384]",
            [true, true],
        ),
        // The server's key is ECDSA.
        (
            "cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]",
            [false, true],
        ),
    ] {
        let files = WebFiles::new(&tls(keys));
        let exporter = files.exporter(&twilio).await;
        for (version, expected) in [Tls::TLS_1_2, Tls::TLS_1_3].into_iter().zip(expected) {
            let client = files.client_with(None, |builder| {
                builder.tls_version_min(version).tls_version_max(version)
            });
            let response = client.get(https(&exporter, "/-/healthy")).send().await;
            assert_eq!(response.is_ok(), expected, "{keys}: {version:?}");
        }
    }
}
