//! How URLs that list operations are named, and which are refused.

use std::collections::HashMap;

use super::*;
use crate::config::tests::{account, load, problems};
use crate::config::{Config, ConfigError, Overrides};

fn with_urls(items: &str) -> Result<Config, ConfigError> {
    let more = format!("operation_urls: [{items}]");
    let source = format!("accounts:\n{}", account("a", &more));
    load(source, Overrides::default())
}

fn sources(items: &str) -> Vec<String> {
    let config = with_urls(items).unwrap();
    let urls = config.accounts[0].operation_urls.iter();
    urls.map(|url| url.source.to_string()).collect()
}

/// Two URLs of one host that have the same fingerprint.
fn alike() -> [String; 2] {
    let mut seen = HashMap::new();
    for number in 0.. {
        let url = format!("https://lists.example/{number}");
        let name = source_name::of(&Url::parse(&url).unwrap());
        if let Some(first) = seen.insert(name, url.clone()) {
            return [first, url];
        }
    }
    unreachable!("there are fewer fingerprints than numbers")
}

#[test]
fn a_name_that_is_given_twice_is_refused_and_the_same_fingerprint_gets_a_number() {
    let [first, second] = alike();
    let name = source_name::of(&Url::parse(&first).unwrap());
    let unnamed = format!("{{url: '{first}'}}, {{url: '{second}'}}");
    assert_eq!(sources(&unnamed), [name.clone(), format!("{name}#2")]);
    let named = format!("{{url: '{first}', name: crm}}, {{url: '{second}', name: crm}}");
    assert_eq!(
        problems(with_urls(&named)),
        [
            "accounts[0].operation_urls[1].name: another source of this account has this name; give each one its own"
        ]
    );
}

#[test]
fn a_url_with_a_user_name_or_a_password_is_refused() {
    for url in [
        "https://user@lists.example/",
        "https://:s3cret@lists.example/",
        "https://user:s3cret@lists.example/",
    ] {
        let reported = problems(with_urls(&format!("{{url: '{url}'}}")));
        assert_eq!(
            reported,
            [
                "accounts[0].operation_urls[0].url: the URL must not contain a user name or a password; use `basic_auth`"
            ],
            "{url}"
        );
    }
}

#[test]
fn debugging_shows_no_path_and_no_query() {
    let url = UrlInFull(Url::parse("https://lists.example/hooks/s3cret?key=s3cret").unwrap());
    let shown = format!("{url:?}");
    assert!(shown.starts_with("https://lists.example#"), "{shown}");
    assert!(!shown.contains("s3cret") && !shown.contains("hooks"));
}
