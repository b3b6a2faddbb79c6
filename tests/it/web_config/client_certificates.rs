//! Client certificates: each `client_auth_type` with right, wrong, expired and missing ones, and `client_allowed_sans`.

use std::net::IpAddr;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, SanType, date_time_ymd};

use super::{WebFiles, https, tls};
use crate::sources::tls::{Authority, Identity};
use crate::support::exporter::Exporter;
use crate::support::twilio::Twilio;

/// The names of the clients of a test, and their certificates.
fn identities(authority: &Authority) -> Vec<(&'static str, Option<Identity>)> {
    let params = || CertificateParams::new(vec!["client.example.com".to_owned()]).unwrap();
    let mut expired = params();
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    let mut future = params();
    future.not_before = date_time_ymd(2120, 1, 1);
    let mut for_servers = params();
    for_servers.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut for_clients = params();
    for_clients.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    vec![
        ("none", None),
        ("right", Some(authority.identity_of(&params()))),
        ("for clients", Some(authority.identity_of(&for_clients))),
        ("authority", Some(authority.itself())),
        ("wrong", Some(Authority::new().identity_of(&params()))),
        ("another authority", Some(Authority::new().itself())),
        ("expired", Some(authority.identity_of(&expired))),
        ("not valid yet", Some(authority.identity_of(&future))),
        ("for servers", Some(authority.identity_of(&for_servers))),
    ]
}

/// Whether a client with this certificate gets a response.
async fn is_served(files: &WebFiles, exporter: &Exporter, identity: Option<&Identity>) -> bool {
    let request = files.client(identity).get(https(exporter, "/-/healthy"));
    request
        .send()
        .await
        .is_ok_and(|response| response.status() == 200)
}

#[tokio::test]
async fn each_client_auth_type_accepts_the_certificates_that_go_accepts() {
    let twilio = Twilio::empty().await;
    let verified = ["right", "for clients", "authority"];
    let all: Vec<&str> = identities(&Authority::new())
        .iter()
        .map(|(name, _)| *name)
        .collect();
    for (client_auth_type, accepted) in [
        ("NoClientCert", all.clone()),
        ("RequestClientCert", all.clone()),
        ("RequireAnyClientCert", all[1..].to_vec()),
        (
            "VerifyClientCertIfGiven",
            [&["none"][..], &verified].concat(),
        ),
        ("RequireAndVerifyClientCert", verified.to_vec()),
    ] {
        let mut yaml = tls(&format!("client_auth_type: {client_auth_type}"));
        if client_auth_type.contains("Verify") {
            yaml.push_str("  client_ca_file: client-ca.crt\n");
        }
        let files = WebFiles::new(&yaml);
        let exporter = files.exporter(&twilio).await;
        let mut served = Vec::new();
        for (name, identity) in identities(&files.authority) {
            if is_served(&files, &exporter, identity.as_ref()).await {
                served.push(name);
            }
        }
        assert_eq!(served, accepted, "{client_auth_type}");
    }
}

/// TLS 1.2 verifies in another order than TLS 1.3.
#[tokio::test]
async fn client_certificates_are_verified_with_tls_1_2_too() {
    let twilio = Twilio::empty().await;
    let yaml = tls(
        "client_auth_type: RequireAndVerifyClientCert\nclient_ca_file: client-ca.crt\nmax_version: TLS12",
    );
    let files = WebFiles::new(&yaml);
    let exporter = files.exporter(&twilio).await;
    let mut served = Vec::new();
    for (name, identity) in identities(&files.authority) {
        if is_served(&files, &exporter, identity.as_ref()).await {
            served.push(name);
        }
    }
    assert_eq!(served, ["right", "for clients", "authority"]);
}

#[tokio::test]
async fn only_clients_with_an_allowed_name_are_served() {
    let twilio = Twilio::empty().await;
    let allowed = "client_allowed_sans: [scraper.example.com, '10.0.0.1', '2001:db8::1', ops@example.com, 'spiffe://example.com/scraper']";
    let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
    let ip = |address: &str| SanType::IpAddress(address.parse::<IpAddr>().unwrap());
    let mail = |address: &str| SanType::Rfc822Name(address.try_into().unwrap());
    let uri = |uri: &str| SanType::URI(uri.try_into().unwrap());
    let cases = [
        (vec![dns("scraper.example.com")], true),
        (
            vec![dns("other.example.com"), dns("scraper.example.com")],
            true,
        ),
        (vec![ip("10.0.0.1")], true),
        (vec![ip("2001:db8::1")], true),
        (vec![mail("ops@example.com")], true),
        (vec![uri("spiffe://example.com/scraper")], true),
        (vec![], false),
        (vec![dns("other.example.com")], false),
        (vec![dns("*.example.com")], false),
        (vec![dns("a.scraper.example.com")], false),
        (vec![ip("10.0.0.2")], false),
        // The same text as another kind of name is no address.
        (vec![dns("10.0.0.1")], false),
        (vec![mail("dev@example.com")], false),
        (vec![uri("spiffe://example.com/scraper/")], false),
    ];
    for auth_type in [
        "RequireAnyClientCert",
        "RequireAndVerifyClientCert\nclient_ca_file: client-ca.crt",
    ] {
        let files = WebFiles::new(&tls(&format!("client_auth_type: {auth_type}\n{allowed}")));
        let exporter = files.exporter(&twilio).await;
        for (names, expected) in &cases {
            let mut params = CertificateParams::default();
            params.subject_alt_names.clone_from(names);
            let identity = files.authority.identity_of(&params);
            let served = is_served(&files, &exporter, Some(&identity)).await;
            assert_eq!(served, *expected, "{auth_type}: {names:?}");
        }
        assert!(!is_served(&files, &exporter, None).await, "{auth_type}");
    }
}
