//! The commands: what they do, print and exit with.

use super::*;
use crate::support::PATIENCE;
use twilio_email_exporter::timestamp::Timestamp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_prints_an_exposition_and_nothing_else() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 2, "opened": 2}));
    let base_url = twilio.base_url();
    let finished = run(&["once"], &credentials(&base_url));
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let seen = Exposition::parse(&finished.stdout).unwrap();
    seen.expect("once", &[("up", 1.0), ("collection_complete", 1.0)]);
    assert_eq!(seen.emails(id, "opened"), Some(2.0));
    assert_eq!(twilio.handle.counts().total, 1);
    // Options override variables.
    let all = [
        &credentials(&base_url)[..],
        &[("TWILIO_EMAIL_SERIES_MAX_OPERATIONS", "0")],
    ]
    .concat();
    let seen = Exposition::parse(&run(&["once"], &all).stdout).unwrap();
    seen.expect("by variable", &[("operations_without_series", 1.0)]);
    let seen = run(&["once", "--series.max-operations=1"], &all);
    Exposition::parse(&seen.stdout)
        .unwrap()
        .expect("by option", &[("operations_without_series", 0.0)]);
}

/// A proxy of the environment could read the credentials.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxies_of_the_environment_are_not_used() {
    let twilio = Twilio::empty().await;
    let base_url = twilio.base_url();
    let names = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let proxies = names.map(|name| (name, "http://127.0.0.1:1"));
    let variables = [&credentials(&base_url)[..], &proxies].concat();
    let finished = run(&["once"], &variables);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_exits_with_1_when_nothing_can_be_read_and_prints_that() {
    let twilio = Twilio::empty().await;
    let base_url = twilio.base_url();
    for fault in ["401", "403", "404", "407", "500", "429", "html"] {
        twilio.handle.clear_faults();
        twilio.fault(fault);
        let finished = run(&["once"], &credentials(&base_url));
        assert_eq!(finished.code, Some(1), "{fault}: {}", finished.stderr);
        let seen = Exposition::parse(&finished.stdout).unwrap();
        seen.expect(fault, &[("up", 0.0), ("discovery_up", 0.0)]);
        assert!(
            finished
                .stderr
                .contains("cannot read accounts from Twilio: default"),
            "{fault}: {}",
            finished.stderr
        );
        assert!(
            finished.stderr.contains("cannot list operations"),
            "{fault}: {}",
            finished.stderr
        );
    }
    twilio.handle.clear_faults();
    let wrong = format!("{base_url}/wrong");
    let finished = run(&["once"], &credentials(&wrong));
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    let cause = "There is no list of operations at the base URL (404). Check the base URL";
    assert!(finished.stderr.contains(cause), "{}", finished.stderr);
    let finished = run(&["once"], &credentials("http://127.0.0.1:1/v1"));
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("refused"),
        "the system's own words: {}",
        finished.stderr
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_reads_the_accounts_of_a_configuration_file() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 1}));
    let files = files(&one_account(&twilio, "").replace("name: default", "name: marketing"));
    let finished = run(
        &["once", "--config.file", files.config.to_str().unwrap()],
        &[],
    );
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let seen = Exposition::parse(&finished.stdout).unwrap();
    assert_eq!(seen.of("marketing", "up"), Some(1.0));
    assert_eq!(seen.of_operation(id, "size"), Some(1.0));
}

#[test]
fn demo_needs_no_configuration_and_exposes_a_simulated_account() {
    for variables in [
        &[][..],
        // A demo never uses the real credentials of the environment.
        &[
            ("TWILIO_ACCOUNT_SID", "nonsense"),
            ("TWILIO_EMAIL_CONFIG_FILE", "/no/such/file"),
            ("TWILIO_EMAIL_BASE_URL", "http://127.0.0.1:1"),
        ],
    ] {
        let mut demo = Program::exporter(&["demo"], variables);
        let address = demo.address();
        let (status, text) = get(address, "/metrics");
        assert_eq!(status, 200);
        let seen = Exposition::parse(&text).unwrap();
        seen.expect(
            "demo",
            &[
                ("up", 1.0),
                ("discovery_up", 1.0),
                ("collection_complete", 1.0),
            ],
        );
        assert!(
            seen.samples("twilio_email_operation_up").len() > 10,
            "{text}"
        );
        // What the deliverability dashboard shows.
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = Exposition::parse(&get(address, "/metrics").1).unwrap();
            let gmail = [("provider", "gmail"), ("status", "delivered")];
            let delivered = seen.value("twilio_email_provider_emails", &gmail);
            if delivered.is_some_and(|emails| emails > 0.0) {
                break;
            }
            assert!(Instant::now() < deadline, "no emails by provider: {text}");
            std::thread::sleep(Duration::from_millis(50));
        }
        let said = demo.stdout();
        assert!(
            said.contains(&format!("http://{address}/metrics")),
            "{said}"
        );
        assert!(said.contains("Stop with Ctrl-C"), "{said}");
        demo.signal("INT");
        assert_eq!(demo.wait().code, Some(0));
    }
}

#[test]
fn simulate_serves_an_api_that_the_exporter_reads() {
    let options = [
        "--simulator.listen-address",
        LOOPBACK,
        "--simulator.operations",
        "30",
        "--simulator.traffic",
        "false",
    ];
    let command = crate::support::program::command(&[&["simulate"], &options[..]].concat(), &[]);
    let mut simulator = Program::start(command);
    let finished = run(&["once"], &credentials(&base_url(&mut simulator)));
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let seen = Exposition::parse(&finished.stdout).unwrap();
    assert_eq!(seen.samples("twilio_email_operation_up").len(), 30);
    simulator.signal("TERM");
    assert_eq!(simulator.wait().code, Some(0));
}

#[tokio::test]
async fn simulate_has_providers_inbound_mail_and_bodies_on_demand_and_tracks_no_opens() {
    let options = [
        "--simulator.listen-address",
        LOOPBACK,
        "--simulator.traffic=false",
        "--simulator.operations=300",
        "--simulator.mailboxes=true",
        "--simulator.open-tracking=false",
        "--simulator.inbound-interval=12h",
        "--simulator.email-body=100",
    ];
    let command = crate::support::program::command(&[&["simulate"], &options[..]].concat(), &[]);
    let mut simulator = Program::start(command);
    let base_url = base_url(&mut simulator);
    let emails = crate::support::client::client()
        .get(format!("{base_url}/Emails?pageSize=1000"))
        .basic_auth("AC00000000000000000000000000000000", Some("x"));
    let list = emails.send().await.unwrap().text().await.unwrap();
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let rows = list["emails"].as_array().unwrap();
    let has = |row: &&serde_json::Value, part: &str| row.to_string().contains(part);
    for part in ["@gmail.com", "@outlook.com", "\"INBOUND\"", "\"DELIVERED\""] {
        assert!(rows.iter().any(|row| has(&row, part)), "{part}");
    }
    assert!(!rows.iter().any(|row| has(&row, "\"OPENED\"")));
    let body = |row: &serde_json::Value| row["content"]["html"].as_str().unwrap().len();
    assert!(rows.iter().all(|row| body(row) == 100));
    simulator.signal("TERM");
    assert_eq!(simulator.wait().code, Some(0));
}

/// The base URL that `simulate` logs.
fn base_url(simulator: &mut Program) -> String {
    let line = simulator.line(&["simulating", "base_url"]);
    let behind = line.split("base_url=").nth(1).unwrap();
    behind
        .split(' ')
        .next()
        .unwrap()
        .trim_matches('"')
        .to_owned()
}

#[test]
fn simulate_stops_immediately_while_a_request_hangs() {
    let options = [
        "--simulator.listen-address",
        LOOPBACK,
        "--simulator.fault",
        "hang",
    ];
    let command = crate::support::program::command(&[&["simulate"], &options[..]].concat(), &[]);
    let mut simulator = Program::start(command);
    let line = simulator.line(&["simulating"]);
    let address: SocketAddr = line
        .split("http://")
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    send_request(&mut stream, address, "/v1/Emails/Operations");
    std::thread::sleep(Duration::from_millis(50));
    let started = Instant::now();
    simulator.signal("TERM");
    assert_eq!(simulator.wait().code, Some(0));
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "after {:?}",
        started.elapsed()
    );
}

/// A web configuration from `<(…)` whose command hangs.
#[test]
fn a_pipe_that_nobody_writes_to_does_not_prevent_a_stop() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("web.yml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let option = format!("--web.config.file={}", pipe.display());
    let mut program = Program::exporter(&[&option], &credentials("http://127.0.0.1:1/v1"));
    program.line(&["watching"]);
    program.signal("TERM");
    assert_eq!(program.wait().code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_and_sigint_finish_the_current_scrape_and_exit_with_0() {
    for signal in ["TERM", "INT"] {
        let twilio = Twilio::empty().await;
        let id = twilio.put(HOUR, json!({"total": 1, "opened": 1}));
        let base_url = twilio.base_url();
        let mut program = Program::exporter(&[], &credentials(&base_url));
        let address = program.address();
        get(address, "/metrics");
        twilio.handle.reset_requests();
        twilio.fault("list=slow:1500ms:times=1");
        let mut stream = TcpStream::connect(address).unwrap();
        send_request(&mut stream, address, "/metrics");
        crate::support::eventually("the scrape's collection", || async {
            twilio.handle.counts().total > 0
        })
        .await;
        program.signal(signal);
        program.line(&["stopping"]);
        let (status, body) = get(address, "/-/ready");
        assert_eq!(status, 503, "ready while stopping: {body}");
        let (status, text) = response(stream);
        assert_eq!(status, 200);
        let seen = Exposition::parse(&text).unwrap();
        seen.expect(
            "the current scrape",
            &[("up", 1.0), ("collection_complete", 1.0)],
        );
        assert_eq!(seen.emails(id, "opened"), Some(1.0));
        let finished = program.wait();
        assert_eq!(finished.code, Some(0), "{signal}: {}", finished.stderr);
        assert!(
            finished.stderr.lines().last().unwrap().contains("stopped"),
            "{}",
            finished.stderr
        );
        assert!(!finished.stderr.contains("cut off"), "{}", finished.stderr);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_a_collection_without_a_scrape() {
    let twilio = Twilio::empty().await;
    twilio.fault("hang");
    let base_url = twilio.base_url();
    let mut program = Program::exporter(&[], &credentials(&base_url));
    program.address();
    crate::support::eventually("the first collection", || async {
        twilio.handle.counts().total > 0
    })
    .await;
    let started = Instant::now();
    program.signal("TERM");
    assert_eq!(program.wait().code, Some(0));
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "after {:?}",
        started.elapsed()
    );
}

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// Whether a time is as in Prometheus' logs: RFC 3339 in UTC, with milliseconds.
fn is_in_milliseconds(time: &str) -> bool {
    time.len() == "2026-04-05T06:20:00.000Z".len() && time.parse::<Timestamp>().is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_log_line_has_the_chosen_format_and_trace_logs_each_request() {
    let twilio = Twilio::empty().await;
    let base_url = twilio.base_url();
    let log = |format| {
        run(
            &["once", "--log.level=trace", "--log.format", format],
            &credentials(&base_url),
        )
        .stderr
    };
    let json = log("json");
    for line in json.lines() {
        let line: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let level = line["level"].as_str().unwrap();
        assert!(LEVELS.contains(&level), "{line}");
        assert!(is_in_milliseconds(line["ts"].as_str().unwrap()), "{line}");
        assert!(line["msg"].is_string(), "{line}");
    }
    let logfmt = log("logfmt");
    for line in logfmt.lines() {
        let mut parts = line.split(' ');
        let mut next = |key| {
            parts
                .next()
                .and_then(|part| part.strip_prefix(key))
                .expect(line)
        };
        assert!(is_in_milliseconds(next("ts=")), "{line}");
        assert!(LEVELS.contains(&next("level=")), "{line}");
        assert!(!next("msg=").is_empty(), "{line}");
    }
    for log in [json, logfmt] {
        let request = log
            .lines()
            .find(|line| line.contains("operations") && line.contains("200"));
        assert!(request.is_some(), "no line of the request in:\n{log}");
    }
}
