//! URLs over TLS: trusted authorities, client certificates and server names.

use super::tls::{Authority, Received, Secure};
use super::{Scene, list};
use crate::support::eventually;
use crate::support::log::Log;

const NAME: &str = "targets.example.com";

/// The sources of an account with this URL, and `tls_config` with these keys.
fn scene(url: &str, tls: &str, beside: &[(&str, &str)]) -> Scene {
    Scene::new(
        &format!("operation_urls:\n- url: {url}\n  tls_config: {{{tls}}}"),
        beside,
    )
}

fn assert_refused(reports: &[String], why: &str) {
    assert!(reports.len() == 1, "{reports:?}");
    assert!(
        reports[0].starts_with("broken (no TLS connection: ") && reports[0].contains(why),
        "{reports:?}"
    );
}

#[tokio::test]
async fn only_the_configured_authority_is_trusted() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = Secure::start(&authority.identity("127.0.0.1"), None, list(&["41"])).await;
    assert_refused(
        &scene(&server.url(), "", &[]).fetch().await,
        "signed by an unknown authority",
    );
    let ca = [("ca.pem", &*other.pem())];
    let scene = scene(&server.url(), "ca_file: ca.pem", &ca);
    assert_refused(&scene.fetch().await, "certificate has a wrong signature");
    scene.write("ca.pem", &format!("{}{}", other.pem(), authority.pem()));
    assert_eq!(
        scene.fetch().await,
        ["listed 41"],
        "exchanged while running"
    );
    // While the file is wrong, the last good authorities are trusted, and no others.
    let log = Log::start();
    scene.write("ca.pem", "not PEM");
    assert_still_works(&scene, &log, "ca_file: no certificates in PEM").await;
    std::fs::remove_file(scene.path("ca.pem")).unwrap();
    assert_still_works(&scene, &log, "ca_file: cannot read ").await;
    scene.write("ca.pem", &other.pem());
    assert_refused(&scene.fetch().await, "certificate has a wrong signature");
}

/// Certificates that were wrong from the start leave no previous one to use.
#[tokio::test]
async fn without_usable_certificates_no_request_is_made() {
    let authority = Authority::new();
    let server = Secure::start(&authority.identity("127.0.0.1"), None, list(&["41"])).await;
    let scene = scene(&server.url(), "ca_file: ca.pem", &[("ca.pem", "not PEM")]);
    assert_eq!(
        scene.fetch().await,
        ["broken (ca_file: no certificates in PEM)"]
    );
    std::fs::remove_file(scene.path("ca.pem")).unwrap();
    let reports = scene.fetch().await;
    assert!(
        reports[0].starts_with("broken (ca_file: cannot read "),
        "{reports:?}"
    );
    assert!(server.requests().is_empty());
    scene.write("ca.pem", &authority.pem());
    assert_eq!(scene.fetch().await, ["listed 41"]);
}

#[tokio::test]
async fn server_name_replaces_the_host_of_the_url() {
    let authority = Authority::new();
    let server = Secure::start(&authority.identity(NAME), None, list(&["41"])).await;
    let ca = [("ca.pem", &*authority.pem())];
    let named = scene(&server.url(), "ca_file: ca.pem", &ca);
    assert_refused(&named.fetch().await, "not valid for the host's name");
    assert!(server.requests().is_empty());
    let tls = format!("ca_file: ca.pem, server_name: {NAME}");
    for url in [server.url(), server.url().replace("127.0.0.1", "localhost")] {
        assert_eq!(scene(&url, &tls, &ca).fetch().await, ["listed 41"], "{url}");
        eventually("the request is noted", || async {
            !server.requests().is_empty()
        })
        .await;
        let host = url
            .trim_start_matches("https://")
            .trim_end_matches('/')
            .to_owned();
        let name = Some(NAME.to_owned());
        assert_eq!(server.requests().pop(), Some(Received { name, host }));
    }
    let other = "ca_file: ca.pem, server_name: other.example.com";
    assert_refused(
        &scene(&server.url(), other, &ca).fetch().await,
        "not valid for the host's name",
    );
}

#[tokio::test]
async fn certificates_are_verified_unless_insecure_skip_verify_is_set() {
    let server = Secure::start(&Authority::new().identity(NAME), None, list(&["41"])).await;
    assert_refused(
        &scene(&server.url(), "insecure_skip_verify: false", &[])
            .fetch()
            .await,
        "signed by an unknown authority",
    );
    let scene = scene(&server.url(), "insecure_skip_verify: true", &[]);
    assert_eq!(scene.fetch().await, ["listed 41"]);
}

#[tokio::test]
async fn the_client_certificate_is_presented() {
    let authority = Authority::new();
    let server = Secure::start(
        &authority.identity("127.0.0.1"),
        Some(&authority),
        list(&["41"]),
    )
    .await;
    let client = authority.identity("exporter");
    let pem = authority.pem();
    let files = [
        ("ca.pem", &*pem),
        ("client.pem", &*client.certificate),
        ("client.key", &*client.key),
    ];
    let alone = scene(&server.url(), "ca_file: ca.pem", &files)
        .fetch()
        .await;
    assert!(
        alone.len() == 1 && alone[0].starts_with("broken ("),
        "{alone:?}"
    );
    assert!(server.requests().is_empty());
    let tls = "ca_file: ca.pem, cert_file: client.pem, key_file: client.key";
    let stranger = authority.identity("exporter").key;
    for (key, why) in [
        ("not PEM", "broken (key_file: no private key in PEM)"),
        (&*stranger, "certificate and the private key do not match"),
    ] {
        let files = [files[0], files[1], ("client.key", key)];
        let scene = scene(&server.url(), tls, &files);
        let reports = scene.fetch().await;
        assert!(
            reports.len() == 1 && reports[0].contains(why),
            "{reports:?}"
        );
        scene.write("client.key", &client.key);
        assert_eq!(scene.fetch().await, ["listed 41"]);
    }
}

/// A certificate and its key are two files: between the two writes they do not match.
#[tokio::test]
async fn an_unfinished_rotation_keeps_the_last_usable_certificate() {
    let (authority, clients, next) = (Authority::new(), Authority::new(), Authority::new());
    let identity = authority.identity("127.0.0.1");
    let server = Secure::start(&identity, Some(&clients), list(&["41"])).await;
    let [old, new] = [&clients, &next].map(|authority| authority.identity("exporter"));
    let pem = authority.pem();
    let files = [
        ("ca.pem", &*pem),
        ("client.pem", &*old.certificate),
        ("client.key", &*old.key),
    ];
    let tls = "ca_file: ca.pem, cert_file: client.pem, key_file: client.key";
    let scene = scene(&server.url(), tls, &files);
    assert_eq!(scene.fetch().await, ["listed 41"]);
    let log = Log::start();
    scene.write("client.pem", "");
    assert_still_works(&scene, &log, "cert_file: no certificates in PEM").await;
    scene.write("client.pem", &new.certificate);
    assert_still_works(&scene, &log, "private key do not match").await;
    scene.write("client.key", "");
    assert_still_works(&scene, &log, "key_file: no private key in PEM").await;
    std::fs::remove_file(scene.path("client.key")).unwrap();
    assert_still_works(&scene, &log, "key_file: cannot read ").await;
    // Both are new. This server does not trust them, so its rejection shows that they are used.
    scene.write("client.key", &new.key);
    let reports = scene.fetch().await;
    assert!(
        reports.len() == 1 && reports[0].starts_with("broken ("),
        "{reports:?}"
    );
    let lines = log.take();
    assert!(
        lines.iter().any(|line| line.contains("has new content")),
        "{lines:?}"
    );
}

/// The URL still lists operations, and the log has one line with the reason, for as long as it lasts.
async fn assert_still_works(scene: &Scene, log: &Log, why: &str) {
    for _ in 0..3 {
        assert_eq!(scene.fetch().await, [""; 0], "{why}");
        assert_eq!(scene.metric("up"), Some(1.0), "{why}");
    }
    let lines = log.take();
    assert!(lines.len() == 1 && lines[0].contains(why), "{lines:?}");
    assert!(
        lines[0].contains("tls_config of https://127.0.0.1"),
        "{lines:?}"
    );
}
