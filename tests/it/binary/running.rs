//! The commands at work, their output, and how they end.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_prints_an_exposition_and_nothing_else() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 2, "opened": 2}));
    let base_url = twilio.base_url();
    let ended = run(&["once"], &credentials(&base_url));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let seen = Exposition::parse(&ended.stdout).unwrap();
    seen.expect("once", &[("up", 1.0), ("collection_complete", 1.0)]);
    assert_eq!(seen.emails(id, "opened"), Some(2.0));
    assert_eq!(twilio.handle.counts().total, 1);
    // Variables count beside a command, and options win over them.
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

/// Credentials would pass through whatever the machine's environment happens to name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxies_of_the_environment_are_not_used() {
    let twilio = Twilio::empty().await;
    let base_url = twilio.base_url();
    let names = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let proxies = names.map(|name| (name, "http://127.0.0.1:1"));
    let variables = [&credentials(&base_url)[..], &proxies].concat();
    let ended = run(&["once"], &variables);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_exits_with_1_when_nothing_can_be_read_and_prints_that() {
    let twilio = Twilio::empty().await;
    let base_url = twilio.base_url();
    for fault in ["401", "403", "404", "407", "500", "429", "html"] {
        twilio.handle.clear_faults();
        twilio.fault(fault);
        let ended = run(&["once"], &credentials(&base_url));
        assert_eq!(ended.code, Some(1), "{fault}: {}", ended.stderr);
        let seen = Exposition::parse(&ended.stdout).unwrap();
        seen.expect(fault, &[("up", 0.0), ("discovery_up", 0.0)]);
        assert!(
            ended
                .stderr
                .contains("cannot read accounts from Twilio: default"),
            "{fault}: {}",
            ended.stderr
        );
        assert!(
            ended.stderr.contains("operations cannot be listed"),
            "{fault}: {}",
            ended.stderr
        );
    }
    twilio.handle.clear_faults();
    let wrong = format!("{base_url}/wrong");
    let ended = run(&["once"], &credentials(&wrong));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let cause = "There is no list of operations at the base URL (404). Check the base URL";
    assert!(ended.stderr.contains(cause), "{}", ended.stderr);
    let ended = run(&["once"], &credentials("http://127.0.0.1:1/v1"));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("refused"),
        "the system's own words: {}",
        ended.stderr
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_file_brings_the_accounts() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 1}));
    let files = files(&one_account(&twilio, "").replace("name: default", "name: marketing"));
    let ended = run(
        &["once", "--config.file", files.config.to_str().unwrap()],
        &[],
    );
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let seen = Exposition::parse(&ended.stdout).unwrap();
    assert_eq!(seen.of("marketing", "up"), Some(1.0));
    assert_eq!(seen.of_operation(id, "size"), Some(1.0));
}

#[test]
fn demo_needs_nothing_and_shows_an_account_at_work() {
    for variables in [
        &[][..],
        // A demo never uses what a person has set up for the real thing.
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
        let said = demo.stdout();
        assert!(
            said.contains(&format!("http://{address}/metrics")),
            "{said}"
        );
        assert!(said.contains("Stop with Ctrl-C"), "{said}");
        demo.signal("INT");
        assert_eq!(demo.ended().code, Some(0));
    }
}

#[test]
fn simulate_is_an_api_that_the_exporter_can_read() {
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
    let ended = run(&["once"], &credentials(&base_url(&mut simulator)));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let seen = Exposition::parse(&ended.stdout).unwrap();
    assert_eq!(seen.samples("twilio_email_operation_up").len(), 30);
    simulator.signal("TERM");
    assert_eq!(simulator.ended().code, Some(0));
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
    assert_eq!(simulator.ended().code, Some(0));
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
fn simulate_stops_at_once_though_a_request_hangs() {
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
    ask(&mut stream, address, "/v1/Emails/Operations");
    std::thread::sleep(Duration::from_millis(50));
    let asked = Instant::now();
    simulator.signal("TERM");
    assert_eq!(simulator.ended().code, Some(0));
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "after {:?}",
        asked.elapsed()
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
    assert_eq!(program.ended().code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn either_signal_ends_it_with_0_after_the_scrape_under_way_has_its_answer() {
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
        ask(&mut stream, address, "/metrics");
        crate::support::eventually("the scrape's collection", || async {
            twilio.handle.counts().total > 0
        })
        .await;
        program.signal(signal);
        program.line(&["stopping"]);
        let (status, body) = get(address, "/-/ready");
        assert_eq!(status, 503, "ready while stopping: {body}");
        let (status, text) = answer(stream);
        assert_eq!(status, 200);
        let seen = Exposition::parse(&text).unwrap();
        seen.expect(
            "the scrape under way",
            &[("up", 1.0), ("collection_complete", 1.0)],
        );
        assert_eq!(seen.emails(id, "opened"), Some(1.0));
        let ended = program.ended();
        assert_eq!(ended.code, Some(0), "{signal}: {}", ended.stderr);
        assert!(
            ended.stderr.lines().last().unwrap().contains("stopped"),
            "{}",
            ended.stderr
        );
        assert!(!ended.stderr.contains("cut off"), "{}", ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_a_collection_that_nobody_waits_for() {
    let twilio = Twilio::empty().await;
    twilio.fault("hang");
    let base_url = twilio.base_url();
    let mut program = Program::exporter(&[], &credentials(&base_url));
    program.address();
    crate::support::eventually("the first collection", || async {
        twilio.handle.counts().total > 0
    })
    .await;
    let asked = Instant::now();
    program.signal("TERM");
    assert_eq!(program.ended().code, Some(0));
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "after {:?}",
        asked.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_of_the_log_has_the_chosen_form_and_trace_tells_each_request() {
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
        assert!(
            line["level"].is_string() && line["timestamp"].is_string(),
            "{line}"
        );
    }
    let logfmt = log("logfmt");
    for line in logfmt.lines() {
        assert!(
            line.starts_with("ts=") && line.contains(" level="),
            "{line}"
        );
    }
    for log in [json, logfmt] {
        let request = log
            .lines()
            .find(|line| line.contains("operations") && line.contains("200"));
        assert!(request.is_some(), "no line of the request in:\n{log}");
    }
}
