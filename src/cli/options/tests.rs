//! The values of parsed options, and their help.

use std::time::Duration;

use clap::{CommandFactory, Parser};

use super::*;
use crate::config;

#[derive(Debug, Parser)]
#[command(name = "twilio-email-exporter", version = "0", after_help = CREDENTIALS_HELP)]
struct Whole {
    #[command(flatten)]
    serve: ServeOptions,
    #[command(flatten)]
    log: LogOptions,
}

const ID: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";
const OTHER_ID: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp42";

fn parse(arguments: &[&str]) -> Result<Whole, String> {
    let all = ["exporter"].iter().chain(arguments);
    Whole::try_parse_from(all).map_err(|error| error.to_string())
}

#[test]
fn the_declaration_of_the_options_is_valid() {
    Whole::command().debug_assert();
}

#[test]
fn every_option_has_its_own_environment_variable() {
    let command = Whole::command();
    let options = command
        .get_arguments()
        .filter(|option| option.get_long().is_some());
    let mut names: Vec<String> = options
        .filter(|option| !matches!(option.get_id().as_str(), "help" | "version"))
        .map(|option| match option.get_env() {
            Some(name) => name.to_string_lossy().into_owned(),
            None => panic!("{} has no variable", option.get_id()),
        })
        .collect();
    assert_eq!(names.len(), 22);
    assert!(
        names.iter().all(|name| name.starts_with("TWILIO_EMAIL_")),
        "{names:?}"
    );
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 22);
}

#[test]
fn the_help_names_the_defaults_and_the_web_options() {
    let help = Whole::command().render_long_help().to_string();
    // As one line, because it wraps at the terminal's width.
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let series = config::Series::default();
    let offset = format!("{}s", config::DEFAULT_TIMEOUT_OFFSET.as_secs_f64());
    for default in [
        config::DEFAULT_BASE_URL.to_owned(),
        config::DEFAULT_STORAGE_PATH.to_owned(),
        config::DEFAULT_TELEMETRY_PATH.to_owned(),
        config::DEFAULT_LISTEN_ADDRESS.to_string(),
        series.max_operations.to_string(),
        offset,
        config::DEFAULT_MAX_REQUESTS.to_string(),
        format!("{}s", config::DEFAULT_GRACE_PERIOD.as_secs()),
    ] {
        assert!(
            help.contains(&format!("[default: {default}]")),
            "{default} in {help}"
        );
    }
    for shown in [
        "--web.config.file",
        "--web.enable-api",
        "--web.enable-lifecycle",
    ] {
        assert!(help.contains(shown), "{shown} in {help}");
    }
}

#[test]
fn options_become_overrides() {
    let whole = parse(&[
        "--config.file=c.yml",
        "--twilio.base-url=http://localhost:1",
        &format!("--operation={ID},{OTHER_ID}"),
        "--discovery=false",
        "--collector.emails",
        "--storage.path=",
        "--series.max-operations=7",
        "--web.listen-address=:1",
        "--web.listen-address=[::1]:2",
        "--web.systemd-socket",
        "--web.telemetry-path=/m",
        "--scrape.timeout-offset=250ms",
        "--web.enable-api",
        "--web.max-requests=9",
        "--shutdown.grace-period=25s",
        "--log.level=debug",
        "--log.format=json",
    ])
    .unwrap();
    let overrides = whole.serve.overrides();
    assert_eq!(overrides.config_file, Some("c.yml".into()));
    assert_eq!(overrides.base_url.as_deref(), Some("http://localhost:1"));
    let ids: Vec<String> = overrides
        .operations
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(ids, [ID, OTHER_ID]);
    assert_eq!(overrides.discovery, Some(false));
    assert_eq!(overrides.emails_collector, Some(true));
    assert_eq!(overrides.storage_path, Some(PathBuf::new()));
    assert_eq!(overrides.max_operations, Some(7));
    let listen: Vec<String> = overrides.listen.iter().map(ToString::to_string).collect();
    assert_eq!(listen, [":1", "[::1]:2"]);
    assert_eq!(overrides.systemd_socket, Some(true));
    assert_eq!(overrides.telemetry_path.as_deref(), Some("/m"));
    assert_eq!(overrides.timeout_offset, Some(Duration::from_millis(250)));
    assert_eq!(overrides.max_requests, Some(9));
    assert_eq!(overrides.grace_period, Some(Duration::from_secs(25)));
    assert_eq!(
        (overrides.enable_api, overrides.enable_lifecycle),
        (Some(true), None)
    );
    assert_eq!(
        (whole.log.level_or(LogLevel::Info), whole.log.format()),
        (LogLevel::Debug, LogFormat::Json)
    );
}

#[test]
fn an_empty_value_counts_as_not_set() {
    let whole = parse(&[
        "--config.file=",
        "--operation=",
        "--discovery=",
        "--series.max-operations=",
        "--web.listen-address=",
        "--scrape.timeout-offset=",
        "--shutdown.grace-period=",
        "--log.level=",
    ])
    .unwrap();
    let overrides = whole.serve.overrides();
    assert_eq!(overrides.config_file, None);
    assert!(overrides.operations.is_empty() && overrides.listen.is_empty());
    assert_eq!(
        (overrides.discovery, overrides.max_operations),
        (None, None)
    );
    assert_eq!(overrides.timeout_offset, None);
    assert_eq!(whole.log.level_or(LogLevel::Warn), LogLevel::Warn);
}

#[test]
fn a_wrong_value_names_its_option_and_the_cure() {
    for (argument, message) in [
        (
            "--operation=x",
            "an operation id starts with `comms_operation_`",
        ),
        ("--web.listen-address=10202", "such as :10202"),
        ("--scrape.timeout-offset=half", "such as 500ms"),
        (
            "--series.max-operations=1000001",
            "expected a whole number from 0 to 1000000",
        ),
        (
            "--web.max-requests=x",
            "expected a whole number from 0 to 512",
        ),
        ("--discovery=maybe", "[possible values: true, false]"),
        (
            "--log.level=loud",
            "[possible values: error, warn, info, debug, trace]",
        ),
    ] {
        let error = parse(&[argument]).unwrap_err();
        let option = argument.split('=').next().unwrap();
        assert!(error.contains(message) && error.contains(option), "{error}");
    }
}

#[test]
fn no_option_takes_a_secret() {
    for option in Whole::command().get_arguments() {
        let name = option.get_long().unwrap_or_default();
        for word in ["token", "secret", "password", "key"] {
            assert!(!name.contains(word), "{name}");
        }
    }
}
