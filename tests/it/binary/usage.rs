//! Help, versions, completions, and the errors of invalid usage.

use super::*;

#[test]
fn help_names_every_option_its_variable_and_the_credentials() {
    let finished = run(&["--help"], &[]);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""));
    for word in [
        "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN",
        "TWILIO_API_KEY and TWILIO_API_SECRET",
        "run `demo`",
        "[default: :10202]",
        "[default: https://comms.twilio.com/v1]",
    ] {
        let text = finished
            .stdout
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(text.contains(word), "{word:?} in {}", finished.stdout);
    }
    for command in COMMANDS {
        assert!(
            finished.stdout.contains(&format!("\n  {command} ")),
            "{command}"
        );
        let own = run(&[command, "--help"], &[]);
        assert_eq!(
            (own.code, own.stderr.as_str()),
            (Some(0), ""),
            "{command} --help"
        );
        assert!(
            own.stdout
                .contains(&format!("Usage: twilio-email-exporter {command}")),
            "{}",
            own.stdout
        );
        assert!(
            own.stdout.contains("[env: TWILIO_EMAIL_LOG_LEVEL]"),
            "{}",
            own.stdout
        );
    }
    for help in
        std::iter::once(finished).chain(COMMANDS.map(|command| run(&[command, "--help"], &[])))
    {
        let options = help.stdout.matches("      --").count();
        let variables = help.stdout.matches("[env: TWILIO_EMAIL_").count();
        assert_eq!(
            options, variables,
            "every option has its variable: {}",
            help.stdout
        );
    }
}

#[test]
fn the_command_help_prints_what_the_option_prints() {
    for command in COMMANDS {
        let option = run(&[command, "--help"], &[]);
        let printed = run(&["help", command], &[]);
        assert_eq!(printed.code, Some(0), "{command}");
        assert_eq!(printed.stdout, option.stdout, "{command}");
    }
    assert_eq!(run(&["help"], &[]).stdout, run(&["--help"], &[]).stdout);
    let unknown = run(&["help", "s3cret"], &[]);
    assert_eq!(unknown.code, Some(2));
    assert!(!unknown.stderr.contains("s3cret"), "{}", unknown.stderr);
}

#[test]
fn completions_know_every_command_and_option() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let printed = run(&["completions", shell], &[]);
        assert_eq!((printed.code, printed.stderr.as_str()), (Some(0), ""));
        for word in COMMANDS.iter().chain(&["web.listen-address", "log.level"]) {
            assert!(printed.stdout.contains(word), "{word} for {shell}");
        }
    }
    let unknown = run(&["completions", "csh"], &[]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("bash"), "{}", unknown.stderr);
}

#[test]
fn completions_for_bash_are_a_valid_script() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("completions");
    std::fs::write(&script, run(&["completions", "bash"], &[]).stdout).unwrap();
    let mut bash = std::process::Command::new("bash");
    let checked = bash.arg("-n").arg(&script).output().unwrap();
    assert!(
        checked.status.success() && checked.stderr.is_empty(),
        "{checked:?}"
    );
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man");
    let printed = run(&["man"], &[]).stdout;
    assert!(printed.contains(".TH twilio-email-exporter 1"), "{printed}");
    assert!(printed.contains("TWILIO_EMAIL_CONFIG_FILE"), "{printed}");
    let written = run(&["man", pages.to_str().unwrap()], &[]);
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    for command in COMMANDS {
        let page = pages.join(format!("twilio-email-exporter-{command}.1"));
        let page = std::fs::read_to_string(page).unwrap();
        assert!(page.contains("TWILIO_EMAIL_LOG_LEVEL"), "{command}: {page}");
    }
    assert_eq!(
        std::fs::read_to_string(pages.join("twilio-email-exporter.1")).unwrap(),
        printed
    );
    let taken = run(&["man", "/dev/null"], &[]);
    assert_eq!(taken.code, Some(1));
    let message = "cannot write manual pages to /dev/null";
    assert!(taken.stderr.contains(message), "{}", taken.stderr);
}

#[test]
fn the_version_names_commit_date_compiler_and_target() {
    let finished = run(&["--version"], &[]);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""));
    let mut lines = finished.stdout.lines();
    let first = concat!("twilio-email-exporter ", env!("CARGO_PKG_VERSION"));
    assert_eq!(lines.next(), Some(first));
    for name in ["revision", "build date", "compiler", "target"] {
        let line = lines.next().unwrap();
        let (key, value) = line.split_once(':').unwrap();
        assert_eq!(key.trim(), name, "{line}");
        let value = value.trim();
        assert!(!value.is_empty() && value != "unknown", "{line}");
    }
    assert_eq!(lines.next(), None, "{}", finished.stdout);
    let short = run(&["-V"], &[]);
    assert_eq!(short.code, Some(0));
    assert!(
        short.stdout.starts_with(&format!("{first} (")),
        "{}",
        short.stdout
    );
    assert_eq!(short.stdout.lines().count(), 1);
}

#[test]
fn invalid_usage_exits_with_2_and_names_the_mistake() {
    for (arguments, words) in [
        (
            &["--no-such-option"][..],
            "unexpected argument '--no-such-option'",
        ),
        (&["--web.listen-address", "nowhere"], "--web.listen-address"),
        (
            &["--operation", "x"],
            "an operation id starts with `comms_operation_`",
        ),
        (
            &["--log.level", "loud"],
            "[possible values: error, warn, info, debug, trace]",
        ),
        (&["--discovery=maybe"], "[possible values: true, false]"),
        (&["--scrape.timeout-offset", "1"], "--scrape.timeout-offset"),
        (
            &["simulate", "--simulator.fault", "teapot"],
            "unknown effect `teapot`",
        ),
        (
            &["simulate", "--simulator.inbound-interval", "1ms"],
            "expected at least 100ms",
        ),
        (&["once", "--series.max-operations", "-1"], "-1"),
        (&["serve", "extra"], "unexpected argument '…'"),
        (&["no-such-command"], "unrecognized subcommand '…'"),
        (
            &["--web.config.file", "no-such-web.yml"],
            "1 problem in the configuration (no-such-web.yml):\n  cannot read the file: ",
        ),
        (
            &["--web.telemetry-path", "/"],
            "--web.telemetry-path: the landing page is at /",
        ),
        (
            &["--config.file", "/no/such/file.yml"],
            "cannot read the file",
        ),
    ] {
        let finished = run(arguments, &credentials("http://127.0.0.1:1"));
        assert_eq!(finished.code, Some(2), "{arguments:?}: {}", finished.stderr);
        assert!(
            finished.stderr.contains(words),
            "{arguments:?}: {words:?} in {}",
            finished.stderr
        );
        assert_eq!(finished.stdout, "", "{arguments:?}");
    }
}

#[test]
fn without_credentials_it_exits_with_2_and_names_the_variables() {
    for arguments in [&[][..], &["serve"], &["once"]] {
        let finished = run(arguments, &[]);
        assert_eq!(finished.code, Some(2), "{arguments:?}: {}", finished.stderr);
        for word in [
            "no credentials",
            "TWILIO_API_KEY",
            "TWILIO_AUTH_TOKEN",
            "_FILE",
            "demo",
        ] {
            assert!(
                finished.stderr.contains(word),
                "{word} in {}",
                finished.stderr
            );
        }
    }
}

#[test]
fn an_invalid_file_exits_with_2_and_reports_every_problem_with_its_place() {
    let bad = files(
        "accounts:\n- name: one\n  account_sid: nonsense\n  auth_token_file: missing\n  discvery: true\n\
         - name: one\n  base_url: ftp://example.com\n  operations: [{id: x}]\nseries: {max_operations: many}\n",
    );
    let finished = run(&["--config.file", bad.config.to_str().unwrap()], &[]);
    assert_eq!(finished.code, Some(2));
    for words in [
        "accounts[0].account_sid: ",
        "accounts[0].auth_token_file: ",
        "accounts[0]: unknown key `discvery` (line 5), did you mean `discovery`?",
        "accounts[1].name: the same name as accounts[0].name",
        "accounts[1].base_url: expected http:// or https://",
        "accounts[1].operations[0].id: an operation id starts with",
        "series.max_operations: ",
    ] {
        assert!(
            finished.stderr.contains(words),
            "{words:?} in:\n{}",
            finished.stderr
        );
    }
    assert!(
        !finished.stderr.contains("nonsense"),
        "values are not repeated: {}",
        finished.stderr
    );
}

#[test]
fn a_port_in_use_exits_with_1_and_is_named() {
    let taken = TcpListener::bind(LOOPBACK).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for arguments in [
        &["serve", "--web.listen-address", &address][..],
        &["demo", "--web.listen-address", &address],
        &["simulate", "--simulator.listen-address", &address],
        &[
            "serve",
            "--web.listen-address",
            LOOPBACK,
            "--web.listen-address",
            &address,
        ],
    ] {
        let finished = run(arguments, &credentials("http://127.0.0.1:1"));
        assert_eq!(finished.code, Some(1), "{arguments:?}: {}", finished.stderr);
        for word in ["cannot listen on", &address, "listen-address"] {
            assert!(
                finished.stderr.contains(word),
                "{arguments:?}: {word} in {}",
                finished.stderr
            );
        }
        assert_eq!(finished.stdout, "", "{arguments:?}");
    }
}

#[test]
fn every_command_logs_warnings_about_the_configuration() {
    let both = [
        ("TWILIO_API_KEY", "SK00000000000000000000000000000000"),
        ("TWILIO_API_SECRET", "made-up"),
    ];
    let variables = [&credentials("http://127.0.0.1:1/v1")[..], &both].concat();
    let notice = "not used: the API key of TWILIO_API_KEY has priority";
    let finished = run(&["once"], &variables);
    assert!(
        finished.stderr.contains(notice),
        "once: {}",
        finished.stderr
    );
    Program::exporter(&["serve"], &variables).line(&[notice]);
}
