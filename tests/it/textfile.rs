//! What `once` prints, in the directory of a real node exporter's textfile collector.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::support::client::client;
use crate::support::eventually;
use crate::support::exporter::{SID, TOKEN, account, files, one_account};
use crate::support::exposition::Exposition;
use crate::support::program::{Program, run};
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);

/// Debian's node exporter with its usual collectors. It stops when the value is dropped.
struct NodeExporter {
    address: SocketAddr,
    client: reqwest::Client,
    program: Program,
}

impl NodeExporter {
    async fn reading(directory: &Path) -> Self {
        let installed = Command::new("prometheus-node-exporter")
            .arg("--version")
            .output();
        assert!(
            installed.is_ok(),
            "there is no `prometheus-node-exporter` here; run tests/run, which installs it"
        );
        // It logs the port that it was given, so it gets one that was free a moment ago.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let mut command = Command::new("prometheus-node-exporter");
        command
            .arg(format!("--web.listen-address={address}"))
            .arg(format!(
                "--collector.textfile.directory={}",
                directory.display()
            ));
        let exporter = Self {
            address,
            client: client(),
            program: Program::start(command),
        };
        eventually("node exporter responds", || async {
            exporter.text().await.is_some()
        })
        .await;
        exporter
    }

    async fn text(&self) -> Option<String> {
        let url = format!("http://{}/metrics", self.address);
        let response = self.client.get(url).send().await.ok()?;
        response.text().await.ok()
    }

    /// A scrape that reports no problem, neither in the metrics nor in the log.
    async fn scrape(&self) -> String {
        let text = self.text().await.unwrap();
        let stderr = self.program.stderr();
        // Other collectors may fail on the machine of the test.
        let complaints = stderr.lines().filter(|line| {
            line.contains("gathering metrics") || line.contains("collector=textfile msg=\"failed")
        });
        assert_eq!(complaints.collect::<Vec<_>>(), Vec::<&str>::new());
        assert!(text.contains("\nnode_textfile_scrape_error 0\n"), "{text}");
        text
    }
}

/// What `once` prints with this configuration.
fn printed(yaml: &str, options: &[&str]) -> String {
    let files = files(yaml);
    let config = files.config.to_str().unwrap();
    let arguments = [&["once", "--config.file", config], options].concat();
    let finished = run(&arguments, &[]);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    finished.stdout
}

fn families(text: &str) -> Vec<&str> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|rest| rest.split(' ').next()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_exporter_accepts_the_files_of_several_accounts_unchanged() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 2, "opened": 2}));
    let directory = tempfile::tempdir().unwrap();
    let store = tempfile::tempdir().unwrap();
    let durable = format!("--storage.path={}", store.path().display());
    let labeled = format!("operations:\n- id: {id}\n  labels: {{team: \"a\\\\b\"}}");
    let one = printed(&one_account(&twilio, &labeled), &[&durable]);
    let yaml = format!("accounts:\n{}", account("marketing", &twilio, ""));
    let other = printed(&yaml, &[]);
    for (name, text) in [("default.prom", &one), ("marketing.prom", &other)] {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let node = NodeExporter::reading(directory.path()).await;
    for _ in 0..2 {
        let text = node.scrape().await;
        for account in ["default", "marketing"] {
            let line = format!("\ntwilio_email_up{{account=\"{account}\"}} 1\n");
            assert!(text.contains(&line), "{line}");
        }
        // Every series of the files, with its value.
        let samples = one.lines().chain(other.lines());
        let series = samples.filter(|line| !line.starts_with('#'));
        let missing: Vec<_> = series
            .filter_map(|line| line.split_once('{')?.0.into())
            .filter(|name: &&str| !text.contains(&format!("\n{name}{{")))
            .collect();
        assert!(missing.is_empty(), "{missing:?} in {text}");
        assert!(text.contains("\nprocess_open_fds "), "its own: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_replaces_the_output_file_that_node_exporter_reads() {
    let twilio = Twilio::empty().await;
    twilio.put(HOUR, json!({"total": 2, "opened": 2}));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("twilio-email.prom");
    std::fs::write(&path, "old 1\n").unwrap();
    let output = format!("--output={}", path.display());
    let printed = printed(&one_account(&twilio, ""), &[&output]);
    assert_eq!(printed, "", "the metrics are in the file alone");
    let names: Vec<_> = directory.path().read_dir().unwrap().collect();
    assert_eq!(names.len(), 1, "no temporary file is left: {names:?}");
    let node = NodeExporter::reading(directory.path()).await;
    let text = node.scrape().await;
    assert!(text.contains("\ntwilio_email_up{account=\"default\"} 1\n"));
    assert!(!text.contains("\nold 1\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_fails_when_one_of_several_accounts_cannot_be_read_and_still_writes_the_others() {
    let (twilio, other) = (Twilio::empty().await, Twilio::empty().await);
    other.fault("503");
    let accounts = account("marketing", &twilio, "") + &account("receipts", &other, "");
    let files = files(&format!("accounts:\n{accounts}"));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("twilio-email.prom");
    let output = format!("--output={}", path.display());
    let config = files.config.to_str().unwrap();
    let finished = run(&["once", "--config.file", config, &output], &[]);
    assert_eq!(finished.code, Some(1));
    let message = "cannot read accounts from Twilio: receipts. The log above has the causes";
    assert!(finished.stderr.contains(message), "{}", finished.stderr);
    let text = std::fs::read_to_string(&path).unwrap();
    for line in [
        "twilio_email_up{account=\"marketing\"} 1",
        "twilio_email_up{account=\"receipts\"} 0",
    ] {
        assert!(text.lines().any(|each| each == line), "{line} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_names_the_output_file_that_it_cannot_write() {
    let twilio = Twilio::empty().await;
    let files = files(&one_account(&twilio, ""));
    let config = files.config.to_str().unwrap();
    let output = "--output=/nowhere/twilio-email.prom";
    let finished = run(&["once", "--config.file", config, output], &[]);
    assert_eq!(finished.code, Some(1));
    let message = "cannot write the metrics to /nowhere/twilio-email.prom: ";
    assert!(finished.stderr.contains(message), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("No such file or directory"),
        "{}",
        finished.stderr
    );
}

/// Node exporter's own families, and those with one series per process, would collide with those of other files.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_prints_nothing_about_its_own_process() {
    let twilio = Twilio::empty().await;
    twilio.put(HOUR, json!({"total": 2, "opened": 2}));
    let store = tempfile::tempdir().unwrap();
    let durable = format!("--storage.path={}", store.path().display());
    for options in [&[][..], &[durable.as_str()]] {
        let text = printed(&one_account(&twilio, ""), options);
        let families = families(&text);
        for present in [
            "twilio_email_up",
            "twilio_email_operation_emails",
            "twilio_email_api_requests_total",
            "twilio_email_emails_accepted_total",
        ] {
            assert!(families.contains(&present), "{present} in {families:?}");
        }
        let others = families.iter().filter(|name| {
            !name.starts_with("twilio_email_") || name.starts_with("twilio_email_exporter_")
        });
        assert_eq!(others.collect::<Vec<_>>(), Vec::<&&str>::new());
        // No series of one account is another's; and the collector refuses timestamps, the third word of a sample.
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.contains("{account=\"default\""), "{line}");
            let (_, value) = line.rsplit_once("} ").unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
        Exposition::parse(&text).unwrap();
    }
    // The service itself still shows all of it.
    let variables = [
        ("TWILIO_ACCOUNT_SID", SID),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_EMAIL_BASE_URL", &twilio.base_url()),
    ];
    let mut program = Program::exporter(&[], &variables);
    let url = format!("http://{}/metrics", program.address());
    let text = client()
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for name in ["process_open_fds", "twilio_email_exporter_build_info"] {
        assert!(families(&text).contains(&name), "{name} in {text}");
    }
}
