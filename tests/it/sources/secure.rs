//! URLs over TLS: whom they trust, what they show, and how they call the server.

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
    scene.write("ca.pem", "not PEM");
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
    let scene = scene(&server.url(), tls, &files);
    assert_eq!(scene.fetch().await, ["listed 41"]);
    scene.write("client.key", "not PEM");
    assert_eq!(
        scene.fetch().await,
        ["broken (key_file: no private key in PEM)"]
    );
    scene.write("client.key", &authority.identity("exporter").key);
    let told = scene.fetch().await;
    assert!(
        told.len() == 1 && told[0].contains("certificate and the private key do not match"),
        "{told:?}"
    );
    scene.write("client.key", &client.key);
    assert_eq!(scene.fetch().await, ["listed 41"]);
}
