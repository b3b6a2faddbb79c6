//! Tests of whole configurations.

use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::operation::{CountingMode, OperationId};

const ID: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";
const OTHER_ID: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp42";
const SECRET: &str = "s3cret-token";

fn environment(name: &str) -> Option<String> {
    match name {
        "TWILIO_API_KEY" => Some(format!("SK{}", "0".repeat(32))),
        "TWILIO_API_SECRET" => Some(SECRET.to_owned()),
        _ => None,
    }
}

/// Loads `source` as a file that has the secret `token` next to it.
pub(super) fn load(source: impl AsRef<[u8]>, overrides: Overrides) -> Result<Config, ConfigError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("config.yml");
    std::fs::write(&path, source).unwrap();
    std::fs::write(folder.path().join("token"), SECRET).unwrap();
    let overrides = Overrides {
        config_file: Some(path),
        ..overrides
    };
    Config::load(&overrides, &environment)
}

pub(super) fn account(name: &str, more: &str) -> String {
    let sid = format!("AC{}", "0".repeat(32));
    format!("  - {{name: {name}, account_sid: {sid}, auth_token_file: token, {more}}}\n")
}

pub(super) fn problems(result: Result<Config, ConfigError>) -> Vec<String> {
    let problems = result.map_or_else(|error| error.problems, |_| Vec::new());
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_but_credentials_gives_the_defaults() {
    let config = Config::load(&Overrides::default(), &environment).unwrap();
    assert_eq!(&*config.accounts[0].name, DEFAULT_NAME);
    assert_eq!(
        config.accounts[0].base_url.as_str(),
        format!("{DEFAULT_BASE_URL}/")
    );
    assert_eq!(config.accounts[0].limits, Limits::default());
    assert!(config.accounts[0].discovery && config.accounts[0].operations.is_empty());
    assert_eq!(config.series, Series::default());
    assert_eq!(config.web, Web::default());
    assert_eq!(config.scrape.timeout_offset, DEFAULT_TIMEOUT_OFFSET);
    assert_eq!(
        config.storage.path,
        Some(PathBuf::from(DEFAULT_STORAGE_PATH))
    );
    assert!(config.notices.is_empty(), "{:?}", config.notices);
}

#[test]
fn an_empty_file_equals_no_file() {
    for source in ["", "~", "# nothing\n", "accounts:\nseries:\n"] {
        let config = load(source, Overrides::default()).unwrap();
        assert_eq!(&*config.accounts[0].name, DEFAULT_NAME, "{source:?}");
    }
}

#[test]
fn a_file_sets_every_value() {
    let more = format!(
        "base_url: 'http://127.0.0.1:1/x', discovery: false, max_requests_per_second: 0.5, max_concurrent_requests: 1, \
         stats_reading: cumulative, operations: [{{id: {ID}, labels: {{a: 1.10, b: true, c: no}}}}]"
    );
    let sections =
        "series: {max_operations: 0, min_size: 0, labels: [b, a]}\nstorage: {path: ''}\n";
    let source = format!("accounts:\n{}{sections}", account("a", &more));
    let config = load(source, Overrides::default()).unwrap();
    let account = &config.accounts[0];
    assert_eq!(account.base_url.as_str(), "http://127.0.0.1:1/x/");
    assert!(!account.discovery);
    assert_eq!(account.stats_reading, Some(CountingMode::Cumulative));
    assert!((account.limits.requests_per_second - 0.5).abs() < f64::EPSILON);
    assert_eq!(account.limits.concurrent_requests, 1);
    let labels = &account.operations[&ID.parse::<OperationId>().unwrap()];
    let labels: Vec<(&str, &str)> = labels
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(labels, [("a", "1.10"), ("b", "true"), ("c", "no")]);
    let series = Series {
        max_operations: 0,
        min_size: 0,
        labels: Some(vec!["a".into(), "b".into()]),
        ..Series::default()
    };
    assert_eq!(config.series, series);
    assert_eq!(config.storage.path, None);
}

#[test]
fn a_name_may_have_64_characters() {
    let sized = |length| {
        problems(load(
            format!("accounts:\n{}", account(&"é".repeat(length), "")),
            Overrides::default(),
        ))
    };
    assert_eq!(sized(64), Vec::<String>::new());
    assert_eq!(sized(65), ["accounts[0].name: longer than 64 characters"]);
}

#[test]
fn at_most_eight_labels_can_be_aggregated_by() {
    let reported = |labels: &str| {
        let source = format!("series: {{aggregate_by: [{labels}]}}\n");
        problems(load(source, Overrides::default()))
    };
    assert_eq!(reported("a, b, c, d, e, f, g, h"), Vec::<String>::new());
    assert_eq!(
        reported("a, b, c, d, e, f, g, h, i"),
        [
            "series.aggregate_by: 9 labels; at most 8 are allowed, because each of them multiplies series"
        ]
    );
}

#[test]
fn without_discovery_any_one_source_of_operations_is_enough() {
    let notices = |more: &str| {
        let more = format!("discovery: false, {more}");
        let config = load(
            format!("accounts:\n{}", account("a", &more)),
            Overrides::default(),
        );
        config.unwrap().notices.len()
    };
    assert_eq!(notices(""), 1);
    for source in [
        format!("operations: [{{id: {ID}}}]"),
        "operation_files: ['*.yml']".to_owned(),
        "operation_urls: [{url: 'http://127.0.0.1:1/list'}]".to_owned(),
    ] {
        assert_eq!(notices(&source), 0, "{source}");
    }
}

#[test]
fn a_file_may_have_one_mebibyte() {
    let sized = |length: usize| load("#".repeat(length), Overrides::default());
    assert!(sized(1 << 20).is_ok());
    let reported = problems(sized((1 << 20) + 1));
    assert!(
        reported.len() == 1 && reported[0].contains("larger than 1 MiB"),
        "{reported:?}"
    );
}

#[test]
fn the_command_line_overrides_the_file_but_not_the_keys_of_an_account() {
    let overrides = Overrides {
        base_url: Some("https://proxy.example".into()),
        discovery: Some(false),
        max_operations: Some(7),
        storage_path: Some(PathBuf::new()),
        timeout_offset: Some(Duration::from_secs(1)),
        listen: vec![ListenAddress::AllInterfaces(0)],
        telemetry_path: Some("/m".into()),
        ..Overrides::default()
    };
    let own = account("own", "base_url: 'https://own.example', discovery: true");
    let source = format!(
        "accounts:\n{own}{}series: {{max_operations: 5}}\nstorage: {{path: elsewhere}}\n",
        account("other", "")
    );
    let config = load(source, overrides).unwrap();
    let (own, other) = (&config.accounts[0], &config.accounts[1]);
    assert_eq!(
        (own.base_url.as_str(), own.discovery),
        ("https://own.example/", true)
    );
    assert_eq!(
        (other.base_url.as_str(), other.discovery),
        ("https://proxy.example/", false)
    );
    assert_eq!(config.series.max_operations, 7);
    assert_eq!(config.storage.path, None);
    assert_eq!(config.scrape.timeout_offset, Duration::from_secs(1));
    assert_eq!(config.web.listen, [ListenAddress::AllInterfaces(0)]);
    assert_eq!(config.web.telemetry_path, "/m");
}

#[test]
fn operations_of_the_command_line_belong_to_the_only_account() {
    let overrides = Overrides {
        operations: vec![
            ID.parse().unwrap(),
            OTHER_ID.parse().unwrap(),
            ID.parse().unwrap(),
        ],
        ..Overrides::default()
    };
    let labeled = account(
        "a",
        &format!("operations: [{{id: {ID}, labels: {{x: y}}}}]"),
    );
    let config = load(format!("accounts:\n{labeled}"), overrides.clone()).unwrap();
    let operations = &config.accounts[0].operations;
    assert_eq!(operations.len(), 2);
    assert_eq!(operations[&ID.parse().unwrap()]["x"], "y");
    let two = format!("accounts:\n{}{}", account("a", ""), account("b", ""));
    assert_eq!(
        problems(load(two, overrides)),
        ["--operation: the file has 2 accounts; set the operations as `operations` of one of them"]
    );
}

#[test]
fn an_invalid_option_is_a_problem() {
    let overrides = Overrides {
        base_url: Some("comms.twilio.com".into()),
        max_operations: Some(1_000_001),
        telemetry_path: Some("/api/x".into()),
        enable_api: Some(true),
        enable_lifecycle: Some(true),
        ..Overrides::default()
    };
    let places: Vec<String> = Config::load(&overrides, &environment)
        .unwrap_err()
        .problems
        .into_iter()
        .map(|problem| problem.place)
        .collect();
    assert_eq!(
        places,
        [
            "--twilio.base-url",
            "--series.max-operations",
            "--web.telemetry-path",
        ]
    );
}

#[test]
fn unreadable_files_are_reported() {
    let missing = Overrides {
        config_file: Some("no/such.yml".into()),
        ..Overrides::default()
    };
    let text = Config::load(&missing, &environment)
        .unwrap_err()
        .to_string();
    assert!(
        text.starts_with("1 problem in the configuration (no/such.yml):\n  cannot read the file: "),
        "{text}"
    );
    assert_eq!(
        problems(load(vec![b' '; 1024 * 1024 + 1], Overrides::default())),
        ["cannot read the file: it is larger than 1 MiB"]
    );
    assert_eq!(
        problems(load(b"\xff", Overrides::default())),
        ["cannot read the file: it is not UTF-8"]
    );
}

#[test]
fn no_secret_is_in_debug_texts() {
    let config = load(
        format!("accounts:\n{}", account("a", "")),
        Overrides::default(),
    )
    .unwrap();
    assert!(!format!("{config:?}").contains(SECRET));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = load(bytes, Overrides::default());
    }

    /// Nearly valid files test more code than random bytes.
    #[test]
    fn no_yaml_panics(
        lines in prop::collection::vec(
            "( {0,6}|- )(accounts|operations|id|labels|name|oauth|series|storage|base_url|discovery|<<|é|\"a\\\\n\")?: ?\
             (~|\\[\\]|\\{\\}|\\[\\{\\}\\]|-1|1e400|\\.nan|true|x|&a x|\\*a|\\||http://|comms_operation_0)?",
            0..12,
        )
    ) {
        let source = format!("accounts:\n{}", lines.join("\n"));
        let _ = load(source, Overrides::default());
        let _ = load(lines.join("\n"), Overrides::default());
    }
}

#[test]
fn paths_of_sources_are_relative_to_the_file_and_each_source_has_its_own_name() {
    let more = "operation_files: [a.yml, /etc/b/*.json], operation_urls: [\
        {url: 'https://c.example/s3cret?team=s3cret'}, {url: 'https://c.example/t?team=b', name: crm, refresh_interval: 5s, \
        authorization: {credentials_file: token}, tls_config: {ca_file: token}}]";
    let config = load(
        format!("accounts:\n{}", account("a", more)),
        Overrides::default(),
    );
    let account = &config.unwrap().accounts[0];
    let [beside, elsewhere] = &account.operation_files[..] else {
        panic!("{:?}", account.operation_files);
    };
    assert!(beside.path().is_absolute() && beside.path().ends_with("a.yml"));
    assert_eq!(elsewhere.path(), PathBuf::from("/etc/b/*.json"));
    let [first, second] = &account.operation_urls[..] else {
        panic!("{:?}", account.operation_urls);
    };
    assert_eq!(
        (&*first.source, &*second.source),
        ("https://c.example#8cc9", "crm")
    );
    assert_eq!(first.refresh_interval, Duration::from_mins(1));
    assert_eq!(second.refresh_interval, Duration::from_secs(5));
    assert_eq!((&first.login, &first.tls), (&None, &Tls::default()));
    let Some(UrlLogin::Authorization {
        scheme,
        credentials_file,
    }) = &second.login
    else {
        panic!("{:?}", second.login);
    };
    assert_eq!(scheme, "Bearer");
    let path = credentials_file.path();
    assert_eq!(second.tls.ca_file.as_deref(), Some(path));
    assert!(path.is_absolute() && path.ends_with("token"));
    assert!(!format!("{account:?}").contains("s3cret"));
}

/// No problem quotes a secret, wherever a user puts it by mistake.
#[test]
fn no_problem_repeats_a_value() {
    const MARK: &str = "4f9c2e7d1a8b3c5d6e7f8091a2b3c4d5";
    let everything = std::fs::read_to_string("tests/config/good/everything.yml").unwrap();
    let urls = account(
        "a",
        "oauth_token_url: u, operation_urls: [{url: u, timeout: 1s, basic_auth: {username: u, password_file: token}, \
         tls_config: {ca_file: token, cert_file: token, key_file: token, server_name: s, insecure_skip_verify: true}}, \
         {url: v, authorization: {type: Bearer, credentials_file: token}}]",
    );
    let everything = everything.replace("- name", "-\n    name") + "---\naccounts:\n" + &urls;
    let mut tried = 0;
    for document in everything.split("---\n") {
        // Where a value begins: after `: `, `- ` or `[`, and where a key begins.
        for (at, _) in document.match_indices([' ', '[', '{', '\n']) {
            let (before, behind) = document.split_at(at + 1);
            let end = behind.find([',', '}', ']', '\n']).unwrap_or(behind.len());
            let key_end = behind.find(':').unwrap_or(end).min(end);
            for (mark, end) in [
                (MARK.to_owned(), end),
                (format!("'{MARK}'"), end),
                (format!("{MARK}:{MARK}"), end),
                (format!("[{MARK}, {{{MARK}: {MARK}}}]"), end),
                (format!("{{{MARK}: {MARK}}}"), end),
                (format!("*{MARK}"), end),
                (format!("&{MARK} {MARK}"), end),
                (format!("!{MARK} {MARK}"), end),
                (format!("\"\\{MARK}"), end),
                (MARK.to_owned(), key_end),
                (format!("{MARK}: 1, {MARK}"), key_end),
            ] {
                let changed = [before, &mark, &behind[end..]].concat();
                for reported in problems(load(&changed, Overrides::default())) {
                    assert!(!reported.contains(&MARK[..12]), "{reported}\n{changed}");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 1000, "{tried} problems");
}
