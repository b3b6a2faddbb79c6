//! URLs over TLS: whom they trust, what they show, and how they call the server.

use super::logs::Log;
use super::tls::{Asked, Authority, Secure};
use super::{Scene, list};
use crate::support::eventually;

const NAME: &str = "targets.example.com";

/// The sources of an account with this URL, and `tls_config` with these keys.
fn scene(url: &str, tls: &str, beside: &[(&str, &str)]) -> Scene {
    Scene::new(
        &format!("operation_urls:\n- url: {url}\n  tls_config: {{{tls}}}"),
        beside,
    )
}

fn assert_refused(told: &[String], why: &str) {
    assert!(told.len() == 1, "{told:?}");
    assert!(
        told[0].starts_with("broken (no TLS connection: ") && told[0].contains(why),
        "{told:?}"
    );
}

#[tokio::test]
async fn the_authority_that_is_configured_is_the_only_one_that_is_trusted() {
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

/// Certificates that were wrong from the start leave nothing to use.
#[tokio::test]
async fn without_good_certificates_nothing_is_asked() {
    let authority = Authority::new();
    let server = Secure::start(&authority.identity("127.0.0.1"), None, list(&["41"])).await;
    let scene = scene(&server.url(), "ca_file: ca.pem", &[("ca.pem", "not PEM")]);
    assert_eq!(
        scene.fetch().await,
        ["broken (ca_file: no certificates in PEM)"]
    );
    std::fs::remove_file(scene.path("ca.pem")).unwrap();
    let told = scene.fetch().await;
    assert!(
        told[0].starts_with("broken (ca_file: cannot read "),
        "{told:?}"
    );
    assert!(server.asked().is_empty());
    scene.write("ca.pem", &authority.pem());
    assert_eq!(scene.fetch().await, ["listed 41"]);
}

#[tokio::test]
async fn a_server_may_be_called_by_another_name_than_the_urls() {
    let authority = Authority::new();
    let server = Secure::start(&authority.identity(NAME), None, list(&["41"])).await;
    let ca = [("ca.pem", &*authority.pem())];
    let named = scene(&server.url(), "ca_file: ca.pem", &ca);
    assert_refused(&named.fetch().await, "not valid for the host's name");
    assert!(server.asked().is_empty());
    let tls = format!("ca_file: ca.pem, server_name: {NAME}");
    for url in [server.url(), server.url().replace("127.0.0.1", "localhost")] {
        assert_eq!(scene(&url, &tls, &ca).fetch().await, ["listed 41"], "{url}");
        eventually("the request is noted", || async {
            !server.asked().is_empty()
        })
        .await;
        let host = url
            .trim_start_matches("https://")
            .trim_end_matches('/')
            .to_owned();
        let name = Some(NAME.to_owned());
        assert_eq!(server.asked().pop(), Some(Asked { name, host }));
    }
    let other = "ca_file: ca.pem, server_name: other.example.com";
    assert_refused(
        &scene(&server.url(), other, &ca).fetch().await,
        "not valid for the host's name",
    );
}

#[tokio::test]
async fn anybody_is_believed_only_where_that_is_asked_for() {
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
async fn a_certificate_of_the_client_is_shown() {
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
    assert!(server.asked().is_empty());
    let tls = "ca_file: ca.pem, cert_file: client.pem, key_file: client.key";
    let stranger = authority.identity("exporter").key;
    for (key, why) in [
        ("not PEM", "broken (key_file: no private key in PEM)"),
        (&*stranger, "certificate and the private key do not match"),
    ] {
        let files = [files[0], files[1], ("client.key", key)];
        let scene = scene(&server.url(), tls, &files);
        let told = scene.fetch().await;
        assert!(told.len() == 1 && told[0].contains(why), "{told:?}");
        scene.write("client.key", &client.key);
        assert_eq!(scene.fetch().await, ["listed 41"]);
    }
}

/// A certificate and its key are two files: between the two writes they do not match.
#[tokio::test]
async fn a_rotation_that_is_half_done_leaves_the_last_good_certificate() {
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
    // Both are new; this server does not trust them, which shows that they are in use.
    scene.write("client.key", &new.key);
    let told = scene.fetch().await;
    assert!(
        told.len() == 1 && told[0].starts_with("broken ("),
        "{told:?}"
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
        assert_eq!(scene.figure("up"), Some(1.0), "{why}");
    }
    let lines = log.take();
    assert!(lines.len() == 1 && lines[0].contains(why), "{lines:?}");
    assert!(
        lines[0].contains("tls_config of https://127.0.0.1"),
        "{lines:?}"
    );
}
