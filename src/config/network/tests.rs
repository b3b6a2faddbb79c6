//! The proxy and the authorities of an account.

use std::collections::HashMap;

use super::super::file::config;
use super::*;
use crate::config::{Config, Overrides};
use crate::document::Problem;

const KEY: &str =
    "{name: a, api_key_sid: SK00000000000000000000000000000001, api_key_secret_file: secret";

/// The configuration with `keys` in its only account, or the problems.
fn load(keys: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("secret"), "s3cret-s3cret-s3cret").unwrap();
    std::fs::write(directory.path().join("ca.pem"), authority()).unwrap();
    std::fs::write(directory.path().join("empty.pem"), "no certificates").unwrap();
    std::fs::write(
        directory.path().join("broken.pem"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    let environment = |name: &str| variables.get(name).map(|&value| value.to_owned());
    let path = directory.path().join("config.yml");
    let source = format!("accounts: [{KEY}{keys}}}]");
    let mut findings = Findings::default();
    let overrides = Overrides::default();
    let config = config(
        &source,
        Some(&path),
        &overrides,
        &environment,
        &mut findings,
    );
    match config {
        Some(config) if findings.problems.is_empty() => Ok(config),
        _ => Err(findings.problems),
    }
}

fn authority() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.self_signed(&key).unwrap().pem()
}

fn network(keys: &str, variables: &[(&str, &str)]) -> Network {
    let config = load(keys, variables).unwrap();
    config.accounts[0].network.clone()
}

fn url(text: &str) -> ProxyUrl {
    ProxyUrl(text.parse().unwrap())
}

#[test]
fn a_proxy_url_is_for_both_schemes() {
    let keys = ", proxy_url: 'http://user:s3cret@proxy:3128', no_proxy: '.example.com,10.0.0.0/8'";
    let proxy = network(keys, &[]).proxy.unwrap();
    assert_eq!(proxy.http, Some(url("http://user:s3cret@proxy:3128")));
    assert_eq!(proxy.https, proxy.http);
    assert_eq!(proxy.no_proxy, ".example.com,10.0.0.0/8");
    let shown = format!("{proxy:?}");
    assert!(shown.contains("http://proxy:3128"), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn environment_variables_set_the_proxy_only_if_the_account_asks_for_it() {
    let variables = [
        ("HTTPS_PROXY", "proxy.example:3128"),
        ("http_proxy", "http://other.example"),
        ("NO_PROXY", "twilio.example"),
    ];
    assert_eq!(network("", &variables).proxy, None);
    let keys = ", proxy_from_environment: true";
    let proxy = network(keys, &variables).proxy.unwrap();
    assert_eq!(proxy.https, Some(url("http://proxy.example:3128")));
    assert_eq!(proxy.http, Some(url("http://other.example")));
    assert_eq!(proxy.no_proxy, "localhost,127.0.0.0/8,::1,twilio.example");
    assert_eq!(network(keys, &[("HTTPS_PROXY", "")]).proxy, None);
}

#[test]
fn an_option_is_for_accounts_without_a_proxy_of_their_own() {
    let environment = |name: &str| (name == "HTTPS_PROXY").then(|| "http://proxy:1".to_owned());
    let mut findings = Findings::default();
    let network = Network::from_options(true, None, &environment, &mut findings);
    assert_eq!(network.proxy.unwrap().https, Some(url("http://proxy:1")));
    assert!(findings.problems.is_empty());
}

#[test]
fn a_file_of_authorities_replaces_those_of_the_system() {
    let authorities = network(", ca_file: ca.pem", &[]).authorities;
    assert_eq!(authorities.unwrap().roots().len(), 1);
    assert!(network("", &[]).authorities.is_none());
}

#[test]
fn a_wrong_network_names_the_place_and_no_secret() {
    for (keys, place, message) in [
        (
            ", proxy_url: 's3cret'",
            "proxy_url",
            "not a URL (relative URL without a base); expected the URL of a proxy, such as http://proxy:3128",
        ),
        (
            ", proxy_url: 'ftp://s3cret@proxy'",
            "proxy_url",
            "expected the URL of a proxy, such as http://proxy:3128, with http, https, socks5 or socks5h",
        ),
        (
            ", no_proxy: a",
            "no_proxy",
            "needs `proxy_url`; with `proxy_from_environment`, set the variable NO_PROXY",
        ),
        (
            ", proxy_url: 'http://proxy', proxy_from_environment: true",
            "proxy_from_environment",
            "set together with `proxy_url`; remove one of the two",
        ),
        (
            ", proxy_from_environment: true",
            "proxy_from_environment",
            "the variable HTTPS_PROXY: not a URL (invalid port number); expected the URL of a proxy, such as http://proxy:3128",
        ),
        (
            ", ca_file: nowhere.pem",
            "ca_file",
            "nowhere.pem: No such file or directory (os error 2)",
        ),
        (
            ", ca_file: empty.pem",
            "ca_file",
            "empty.pem has no certificates in PEM",
        ),
        (
            ", ca_file: broken.pem",
            "ca_file",
            "broken.pem has a certificate that cannot be read",
        ),
        (
            ", ca_file: '-----BEGIN CERTIFICATE-----'",
            "ca_file",
            "expected the name of a file; write the certificates to a file",
        ),
    ] {
        let is_both = keys.contains("proxy_url") && keys.contains("from_environment");
        let variables = if is_both {
            [("HTTPS_PROXY", "http://proxy:3128")]
        } else {
            [("HTTPS_PROXY", "http://proxy:s3cret")]
        };
        let problems = load(keys, &variables).unwrap_err();
        let [problem] = &problems[..] else {
            panic!("{keys}: {problems:?}");
        };
        let text = problem.to_string();
        assert!(
            text.starts_with(&format!("accounts[0].{place}: ")),
            "{text}"
        );
        assert!(text.ends_with(message), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}
