//! How long requests wait while something changes all operations of a large account: the clock is set, a list fails, the configuration
//! is reloaded, emails prove another counting mode, the state file is lost, or operations expire.
//!
//! `benches/measure-scale` runs it with seven million operations. The account is in a state file, and the simulated account at Twilio is
//! empty, so that nothing but the change takes time. The clock is one that this program sets. Requests are made all the time, by threads
//! that only wait: for `/-/healthy`, for one operation (which needs the lock that changes hold), and for `/metrics` with a timeout of half a
//! second.

mod support {
    pub(crate) mod simulated_account;
}

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use support::simulated_account::{runtime, simulate};
use tokio::runtime::Runtime;
use twilio_email_exporter::app::App;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::{Config, Overrides};
use twilio_email_exporter::operation::{
    Counters, CountingMode, Marks, Operation, OperationState, Stats, Status,
};
use twilio_email_exporter::reload::Reload;
use twilio_email_exporter::simulator::{Handle, operation_id};
use twilio_email_exporter::snapshot::Labels;
use twilio_email_exporter::store::{
    Batch, EmailBatch, SavedAccount, SavedEmails, SavedOperation, Store,
};
use twilio_email_exporter::timestamp::Timestamp;

const ACCOUNT: &str = "large";
const START: Timestamp = Timestamp::from_millis(1_775_370_000_000);
/// The operations were created within this time before [`START`].
const AGES: Duration = Duration::from_hours(6 * 24);
/// The operations of one commit while the state file is written.
const AT_ONCE: u64 = 100_000;
/// The operations that a file lists, as many as one may.
const LISTED: u64 = 100_000;
/// The time between two requests of one kind.
const PAUSE: Duration = Duration::from_millis(2);
/// How often the clock advances, which this program also sets.
const TICK: Duration = Duration::from_millis(10);
/// Nothing takes half of this.
const PATIENCE: Duration = Duration::from_mins(5);

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok());
    let operations: u64 = numbers.next().unwrap_or(10_000);
    let directory = tempfile::tempdir().expect("a directory");
    save(operations, &directory.path().join("state"));
    let clock = Clock::manual(START);
    let simulator = runtime("simulator", 1);
    let (handle, base_url) = simulate(&simulator, &clock, None);
    let exporter = runtime("exporter", 2);
    let measured = Measured {
        operations,
        clock,
        handle,
        directory: directory.path().to_owned(),
        base_url,
    };
    let running = measured.clock.clone();
    std::thread::spawn(move || {
        loop {
            let began = Instant::now();
            std::thread::sleep(TICK);
            running.set(running.now() + began.elapsed());
        }
    });
    exporter.block_on(measured.measure(&exporter));
    exporter.shutdown_background();
    simulator.shutdown_background();
}

struct Measured {
    operations: u64,
    clock: Clock,
    handle: Handle,
    directory: PathBuf,
    base_url: String,
}

impl Measured {
    async fn measure(&self, exporter: &Runtime) {
        let listed = "discovery: true";
        let config = self.configure(listed, "", "false");
        let file = self.directory.join("config.yml");
        let load = Box::new(move || Config::load(&overrides(&file), &|_| None));
        let app = App::bind(&config, self.clock.clone(), Some(load))
            .await
            .expect("a free port");
        let address = app.addresses()[0];
        let reload = app.reload().expect("a configuration");
        let finished = app.finished();
        exporter.spawn(app.run(std::future::pending()));
        let id = operation(0, self.operations).operation.id;
        let page = format!("/api/v1/operations/{id}");
        let scrape = || async move {
            tokio::task::spawn_blocking(move || get(address, "/metrics"))
                .await
                .expect("a response")
        };
        self.until("all operations are loaded", async || {
            sum(&scrape().await, "twilio_email_operations") == self.operations
        })
        .await;
        finished().await;

        let waits = Waits::of("the clock is set back", address, &page);
        self.clock.put(self.clock.now() - Duration::from_hours(2));
        scrape().await;
        finished().await;
        waits.print();

        let waits = Waits::of("a file lists many operations", address, &page);
        let most = self.operations.min(LISTED);
        let apart = self.operations / most;
        let ids = (0..most).map(|n| operation(n * apart, self.operations));
        let ids: Vec<_> = ids.map(|known| known.operation.id.to_string()).collect();
        let groups = format!("[{{targets: [{}], labels: {{team: shop}}}}]", ids.join(","));
        fs::write(self.directory.join("operations-1.yml"), groups).expect("a file");
        self.until("all listed operations are watched", async || {
            let listed = sum(&scrape().await, "twilio_email_source_operations");
            finished().await;
            listed == most
        })
        .await;
        waits.print();

        let waits = Waits::of("a reload of what has series", address, &page);
        let series = "series: {min_size: 4, tags: [campaign], aggregate_by: [campaign]}";
        self.reload(&reload, listed, series, "false").await;
        waits.print();

        let before = sum(&scrape().await, DELIVERED);
        let waits = Waits::of("emails prove another counting mode", address, &page);
        self.reload(&reload, listed, series, "true").await;
        self.until("all operations are counted again", async || {
            let delivered = sum(&scrape().await, DELIVERED);
            let all = before + self.operations;
            assert!(
                [before, all].contains(&delivered),
                "{delivered} is a part of the recount"
            );
            delivered == all
        })
        .await;
        waits.print();
        finished().await;

        let waits = Waits::of("the state file is lost", address, &page);
        let state = self.directory.join("state/state.redb");
        fs::remove_file(&state).expect("a state file");
        self.until("everything is saved again", async || {
            scrape().await;
            finished().await;
            fs::metadata(&state).is_ok_and(|file| file.len() > self.operations * 50)
        })
        .await;
        waits.print();

        let waits = Waits::of("a third of the operations expire", address, &page);
        self.clock.set(START + Duration::from_hours(3 * 24));
        self.until("the operations are removed", async || {
            let left = sum(&scrape().await, "twilio_email_operations");
            finished().await;
            left < self.operations / 10 * 7
        })
        .await;
        waits.print();

        let waits = Waits::of("a list fails, and everything is due", address, &page);
        self.handle.fault("list=503".parse().expect("a fault"));
        self.clock.set(self.clock.now() + Duration::from_hours(4));
        scrape().await;
        finished().await;
        waits.print();

        let waits = Waits::of("discovery is turned off", address, &page);
        self.reload(&reload, "discovery: false", series, "true")
            .await;
        let listed = sum(&scrape().await, "twilio_email_operations");
        assert!((1..=LISTED).contains(&listed), "{listed} operations");
        waits.print();
    }

    /// Writes the configuration, and returns it.
    fn configure(&self, discovery: &str, series: &str, emails: &str) -> Config {
        let yaml = format!(
            "accounts:\n- name: {ACCOUNT}\n  account_sid: AC00000000000000000000000000000000\n  auth_token_file: token\n  \
             base_url: {}\n  max_requests_per_second: 1000\n  {discovery}\n  operation_files: [{}]\n{series}\ncollectors: {{emails: {{enabled: {emails}}}}}\n\
             storage: {{path: {}}}\n",
            self.base_url,
            self.directory.join("operations-*.yml").display(),
            self.directory.join("state").display()
        );
        let file = self.directory.join("config.yml");
        fs::write(self.directory.join("token"), "made-up").expect("a token");
        fs::write(&file, yaml).expect("a configuration");
        Config::load(&overrides(&file), &|_| None).expect("a valid configuration")
    }

    async fn reload(&self, reload: &Arc<Reload>, discovery: &str, series: &str, emails: &str) {
        self.configure(discovery, series, emails);
        reload.reload().await.expect("a valid configuration");
    }

    async fn until(&self, what: &str, mut is_done: impl AsyncFnMut() -> bool) {
        let began = Instant::now();
        while !is_done().await {
            assert!(began.elapsed() < PATIENCE, "not in time: {what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

const DELIVERED: &str = "twilio_email_email_outcomes_total{account=\"large\",outcome=\"delivered\"";

fn overrides(file: &Path) -> Overrides {
    Overrides {
        config_file: Some(file.to_owned()),
        listen: vec!["127.0.0.1:0".parse().expect("an address")],
        enable_api: Some(true),
        ..Overrides::default()
    }
}

/// Writes the state of an account with this many operations, whose emails have proven the exclusive mode while the counters are of the
/// cumulative one.
fn save(operations: u64, directory: &Path) {
    let store = Store::open(Some(directory), START).expect("a new store");
    let generation = store.generation();
    let mut standing = SavedAccount {
        born: START - AGES - Duration::from_hours(1),
        counters: Counters::default(),
        cumulative_proven: true,
        discovered_until: Some(START),
    };
    let mut n = 0;
    while n < operations {
        let until = operations.min(n + AT_ONCE);
        let saved: Vec<_> = (n..until).map(|n| operation(n, operations)).collect();
        for each in &saved {
            standing.counters.count(Marks::default(), each.marks);
        }
        store
            .commit(&Batch {
                account: ACCOUNT,
                standing: &standing,
                operations: &saved,
                groups: &[],
                removed: &[],
                generation,
            })
            .expect("room on the disk");
        n = until;
    }
    store
        .commit_emails(&EmailBatch {
            account: ACCOUNT,
            standing: &SavedEmails {
                born: Some(standing.born),
                counting_mode: Some(CountingMode::Exclusive),
                ..SavedEmails::default()
            },
            emails: &[],
            names: &[],
            removed_labels: &[],
            generation,
        })
        .expect("room on the disk");
}

/// One of this many operations. It has three emails, of which one was opened, and was read just now.
fn operation(n: u64, operations: u64) -> SavedOperation {
    let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
    let created = START - AGES + AGES / count(operations) * count(n);
    let mut stats = Stats {
        size: Some(3),
        ..Stats::default()
    };
    stats.set(Status::Delivered, 2);
    stats.set(Status::Opened, 1);
    let campaign = [("campaign".to_owned(), format!("{}", n % 50))];
    SavedOperation {
        marks: Marks::shown_by(&stats, CountingMode::Cumulative),
        last_success: START - Duration::from_secs(10),
        last_change: created,
        credited: Labels::default(),
        tags: Some(Arc::new(campaign.into())),
        scheduled_for: None,
        operation: Operation {
            id: operation_id(created, u128::from(n)),
            state: OperationState::Completed,
            stats,
            created,
            updated: None,
        },
    }
}

/// The longest response times while this is open.
struct Waits {
    change: &'static str,
    began: Instant,
    ends: Arc<AtomicBool>,
    kinds: Vec<(&'static str, JoinHandle<Duration>)>,
}

impl Waits {
    fn of(change: &'static str, address: SocketAddr, page: &str) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let paths = [
            ("/-/healthy", "/-/healthy".to_owned()),
            ("one operation", page.to_owned()),
            ("/metrics", "/metrics".to_owned()),
        ];
        let kinds = paths.map(|(kind, path)| {
            let ends = Arc::clone(&ends);
            let longest = std::thread::spawn(move || {
                let mut longest = Duration::ZERO;
                while !ends.load(Ordering::Relaxed) {
                    std::thread::sleep(PAUSE);
                    let began = Instant::now();
                    get(address, &path);
                    longest = longest.max(began.elapsed());
                }
                longest
            });
            (kind, longest)
        });
        Self {
            change,
            began: Instant::now(),
            ends,
            kinds: kinds.into(),
        }
    }

    #[expect(clippy::print_stdout, reason = "the script and people read it")]
    fn print(self) {
        let took = self.began.elapsed().as_secs_f64();
        self.ends.store(true, Ordering::Relaxed);
        let waits = self.kinds.into_iter().map(|(kind, longest)| {
            let longest = longest.join().expect("responses").as_secs_f64() * 1000.0;
            format!("{kind} {longest:.1} ms")
        });
        let waits: Vec<_> = waits.collect();
        println!(
            "{}: {took:.1} s; longest waits: {}",
            self.change,
            waits.join(", ")
        );
    }
}

/// The body of the response.
fn get(address: SocketAddr, path: &str) -> String {
    let mut connection = TcpStream::connect(address).expect("a connection");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nX-Prometheus-Scrape-Timeout-Seconds: 0.5\r\nConnection: close\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).expect("a request");
    let mut response = String::new();
    connection
        .read_to_string(&mut response)
        .expect("a response");
    response
}

/// The sum of the samples whose lines begin with `metric`, followed by labels or a value; all are counts.
fn sum(exposition: &str, metric: &str) -> u64 {
    let lines = exposition.lines().filter(|line| {
        let rest = line.strip_prefix(metric);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ', ',', '}']))
    });
    let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts of a few million"
    )]
    let counts = values.map(|value| value as u64);
    counts.sum()
}
