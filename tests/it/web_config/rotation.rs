//! Certificates, keys and authorities that rotate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use reqwest::tls::TlsInfo;

use super::{WebFiles, https, tls};
use crate::support::eventually;
use crate::support::exporter::Exporter;
use crate::support::exposition::Exposition;
use crate::support::twilio::Twilio;

const SUCCESSFUL: &str = "twilio_email_exporter_web_config_last_reload_successful";

/// The certificate of a new connection.
async fn presented(files: &WebFiles, exporter: &Exporter) -> Vec<u8> {
    let client = files.client_with(None, |builder| builder.tls_info(true));
    let response = client.get(https(exporter, "/-/healthy")).send().await;
    let response = response.unwrap();
    let info = response.extensions().get::<TlsInfo>().unwrap();
    info.peer_certificate().unwrap().to_vec()
}

async fn successful(files: &WebFiles, exporter: &Exporter) -> Option<f64> {
    let request = files.client(None).get(https(exporter, "/metrics"));
    let text = request.send().await.unwrap().text().await.unwrap();
    Exposition::parse(&text).unwrap().value(SUCCESSFUL, &[])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_rotates_without_a_dropped_scrape() {
    let twilio = Twilio::empty().await;
    let files = Arc::new(WebFiles::new(&tls("")));
    let exporter = Arc::new(files.exporter(&twilio).await);
    let first = presented(&files, &exporter).await;
    let (stop, scrapes) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    // One scraper keeps its connection; the other makes a handshake for each scrape.
    let scrapers: Vec<_> = [true, false]
        .into_iter()
        .map(|keeps| {
            let (files, exporter) = (files.clone(), exporter.clone());
            let (stop, scrapes) = (stop.clone(), scrapes.clone());
            tokio::spawn(async move {
                let kept = files.client(None);
                while !stop.load(Relaxed) {
                    let client = if keeps {
                        kept.clone()
                    } else {
                        files.client(None)
                    };
                    let response = client.get(https(&exporter, "/metrics")).send().await;
                    let response = response.expect("a scrape was dropped");
                    assert_eq!(response.status(), 200);
                    let text = response.text().await.expect("a scrape was cut off");
                    assert!(text.contains("twilio_email_up"), "{text}");
                    scrapes.fetch_add(1, Relaxed);
                }
            })
        })
        .collect();
    let second = files.authority.identity("localhost");
    // The key follows only when the certificate alone was noticed.
    files.write("server.crt", &second.certificate);
    eventually("the half rotation is noticed", || async {
        successful(&files, &exporter).await == Some(0.0)
    })
    .await;
    assert_eq!(presented(&files, &exporter).await, first);
    files.write("server.key", &second.key);
    eventually("the new certificate is used", || async {
        presented(&files, &exporter).await != first
    })
    .await;
    assert_eq!(successful(&files, &exporter).await, Some(1.0));
    stop.store(true, Relaxed);
    for scraper in scrapers {
        scraper.await.unwrap();
    }
    assert!(scrapes.load(Relaxed) > 10);
}

#[tokio::test]
async fn an_expired_new_certificate_is_not_used() {
    let twilio = Twilio::empty().await;
    let files = WebFiles::new(&tls(""));
    let exporter = files.exporter(&twilio).await;
    let first = presented(&files, &exporter).await;
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let expired = files.authority.identity_of(&params);
    files.write("server.key", &expired.key);
    files.write("server.crt", &expired.certificate);
    eventually("it is noticed", || async {
        successful(&files, &exporter).await == Some(0.0)
    })
    .await;
    assert_eq!(presented(&files, &exporter).await, first);
}

#[tokio::test]
async fn the_authority_of_clients_rotates() {
    let twilio = Twilio::empty().await;
    let files = WebFiles::new(&tls(
        "client_auth_type: RequireAndVerifyClientCert\nclient_ca_file: client-ca.crt",
    ));
    let exporter = files.exporter(&twilio).await;
    let next = crate::sources::tls::Authority::new();
    let identities = [
        files.authority.identity("client.example.com"),
        next.identity("client.example.com"),
    ];
    let served = |at: usize| {
        let request = files.client(Some(&identities[at]));
        let request = request.get(https(&exporter, "/-/healthy"));
        async move { request.send().await.is_ok() }
    };
    assert!(served(0).await && !served(1).await);
    files.write("client-ca.crt", &next.pem());
    eventually("the new authority counts", || served(1)).await;
    assert!(!served(0).await);
}
