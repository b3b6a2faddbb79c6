//! What it costs to follow the emails of a large account: seven days of them are read through the whole path, from the request to the
//! store, and then followed for hours. Time is compressed: this program sets the clock of the simulator and of the exporter.
//!
//! `benches/measure-emails` runs it and prints what it measured. The threads of the simulator have a name of their own, so the rest of the
//! process' CPU time is the exporter's. Linux only.

mod support {
    pub(crate) mod simulated_account;
}

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use support::simulated_account::{runtime, simulate};
use twilio_email_exporter::app;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::collector::Collector;
use twilio_email_exporter::config::{Config, Overrides};
use twilio_email_exporter::simulator::{Handle, Traffic};
use twilio_email_exporter::timestamp::Timestamp;

const WEEK: Duration = Duration::from_hours(7 * 24);
const DAY: Duration = Duration::from_hours(24);
/// What the simulator's threads are called.
const SIMULATOR: &str = "simulator";
/// The mean number of emails of a campaign: the simulator draws 1,000 to 10,000.
const CAMPAIGN: f64 = 5500.0;
/// One email in this many is an operation of its own.
const SINGLES: f64 = 10.0;
/// The interval of scrapes before those that are measured.
const RUN_IN_INTERVAL: Duration = Duration::from_mins(10);
/// The longest that one collection may take on this machine.
const PATIENCE: Duration = Duration::from_mins(20);
/// The runs within which the seven days are read.
const MOST_RUNS: usize = 20;
/// Ticks of the kernel's CPU times in a second, on all Linux systems.
const TICKS: f64 = 100.0;

struct Wanted {
    emails_per_day: f64,
    run_in: Duration,
    measured: Duration,
    interval: Duration,
}

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok());
    let mut number = |default: f64| numbers.next().unwrap_or(default);
    let wanted = Wanted {
        emails_per_day: number(100_000.0),
        run_in: Duration::from_secs_f64(3600.0 * number(1.0)),
        measured: Duration::from_secs_f64(3600.0 * number(1.0)),
        interval: Duration::from_secs_f64(number(60.0)),
    };
    let start: Timestamp = "2026-04-05T06:20:00Z".parse().expect("a time");
    let clock = Clock::manual(start);
    let simulating = runtime(SIMULATOR, 1);
    let (handle, base_url) = simulate(&simulating, &clock, Some(traffic(&wanted)));
    clock.set(start + WEEK);
    let directory = tempfile::tempdir().expect("a directory");
    let config = configuration(directory.path(), &base_url);
    let exporter = runtime("exporter", 2);
    let _entered = exporter.enter();
    let (collector, _instruments) = app::collector(&config, &clock).expect("a collector");
    exporter.block_on(measure(&wanted, &clock, &handle, &collector));
}

/// Reads seven days of emails, follows them, and prints one line for each result.
async fn measure(wanted: &Wanted, clock: &Clock, handle: &Handle, collector: &Collector) {
    let (memory, spent, began) = (resident(), exporter_cpu(), Instant::now());
    // A run ends when a request takes too long on a busy machine; the next one continues.
    for _ in 0..MOST_RUNS {
        collector.collect_fully(PATIENCE).await;
        if coverage(collector).await == Some(1.0) {
            break;
        }
        clock.set(clock.now() + wanted.interval);
    }
    let (taken, spent) = (began.elapsed().as_secs_f64(), exporter_cpu() - spent);
    let emails = known(collector).await;
    let requests = handle.counts().emails as f64;
    print("emails", emails);
    print("read_seconds", taken);
    print("read_requests", requests);
    print("cpu_ms_per_1000_rows", spent * 1e6 / emails);
    print("memory_bytes_per_email", (resident() - memory) / emails);

    // Older emails are read by their age, however long the interval is.
    for _ in 0..scrapes(wanted.run_in, RUN_IN_INTERVAL) {
        step(clock, collector, RUN_IN_INTERVAL).await;
    }
    handle.reset_requests();
    let spent = exporter_cpu();
    let (mut most, mut slowest) = (0, Duration::ZERO);
    let scrapes = scrapes(wanted.measured, wanted.interval);
    for _ in 0..scrapes {
        let (before, began) = (handle.counts().emails, Instant::now());
        step(clock, collector, wanted.interval).await;
        most = most.max(handle.counts().emails - before);
        slowest = slowest.max(began.elapsed());
    }
    let of_scrape = |sum: f64| sum / f64::from(scrapes);
    print(
        "requests_per_scrape",
        of_scrape(handle.counts().emails as f64),
    );
    print("most_requests_per_scrape", most as f64);
    print(
        "cpu_ms_per_scrape",
        of_scrape((exporter_cpu() - spent) * 1e3),
    );
    print("slowest_scrape_seconds", slowest.as_secs_f64());
    let emails = known(collector).await;
    print("emails_at_the_end", emails);
    print(
        "memory_bytes_per_email_at_the_end",
        (resident() - memory) / emails,
    );
}

/// One scrape after an interval, and the emails that it reads.
async fn step(clock: &Clock, collector: &Collector, interval: Duration) {
    clock.set(clock.now() + interval);
    collector.collect_fully(PATIENCE).await;
    let covered = coverage(collector).await;
    assert_eq!(covered, Some(1.0), "everything is read in every scrape");
}

/// The share of the seven days that was read.
async fn coverage(collector: &Collector) -> Option<f64> {
    let snapshot = collector.snapshot().await;
    let account = snapshot.accounts.first()?;
    account.emails.as_ref()?.coverage
}

fn scrapes(span: Duration, interval: Duration) -> u32 {
    let scrapes = span.as_secs_f64() / interval.as_secs_f64();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few thousand"
    )]
    let whole = scrapes.round() as u32;
    whole.max(1)
}

/// The emails that the exporter knows.
async fn known(collector: &Collector) -> f64 {
    let snapshot = collector.snapshot().await;
    let emails = snapshot
        .accounts
        .first()
        .and_then(|account| account.emails.as_ref());
    let counters = emails
        .and_then(|emails| emails.counters.as_ref())
        .expect("emails were saved");
    let all = counters.statuses.values().flatten().sum::<u64>();
    all as f64
}

/// The traffic of an account that sends the wanted number of emails a day from now on.
fn traffic(wanted: &Wanted) -> Traffic {
    let day = DAY.as_secs_f64();
    let singles = wanted.emails_per_day / SINGLES;
    let campaigns = (wanted.emails_per_day - singles) / CAMPAIGN;
    Traffic {
        history: 0,
        campaign_every: Duration::from_secs_f64(day / campaigns),
        single_every: Duration::from_secs_f64(day / singles),
        lasts: None,
        fails_campaigns: true,
    }
}

/// One account without a noticeable rate limit and without discovery: other benchmarks measure operations.
fn configuration(directory: &Path, base_url: &str) -> Config {
    let yaml = format!(
        "accounts:\n- name: large\n  account_sid: AC00000000000000000000000000000000\n  auth_token_file: token\n  \
         base_url: {base_url}\n  max_requests_per_second: 100000\n  request_timeout: 2m\n\
         collectors: {{emails: {{enabled: true, max_emails: 50000000, request_share: 0.9}}}}\n\
         storage: {{path: {}}}\n",
        directory.join("state").display()
    );
    let file = directory.join("config.yml");
    fs::write(directory.join("token"), "made-up").expect("a token");
    fs::write(&file, yaml).expect("a configuration");
    let overrides = Overrides {
        config_file: Some(file),
        discovery: Some(false),
        ..Overrides::default()
    };
    Config::load(&overrides, &|_| None).expect("a valid configuration")
}

/// Seconds of CPU of this process without the simulator's threads.
fn exporter_cpu() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux");
    let simulator = tasks.flatten().filter_map(|task| {
        let name = fs::read_to_string(task.path().join("comm")).ok()?;
        let stat = task.path().join("stat");
        (name.trim() == SIMULATOR).then(|| cpu(&stat))
    });
    cpu(Path::new("/proc/self/stat")) - simulator.sum::<f64>()
}

/// Seconds of CPU in a `stat` file of /proc.
fn cpu(stat: &Path) -> f64 {
    let text = fs::read_to_string(stat).unwrap_or_default();
    // The name of the program, in brackets, may contain spaces.
    let fields = text.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|field| field.parse::<f64>().ok())
        .sum::<f64>()
        / TICKS
}

/// Bytes of this process in memory.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.expect("VmRSS") * 1024.0
}

#[expect(clippy::print_stdout, reason = "the script reads it")]
fn print(name: &str, value: f64) {
    println!("{name} {value:.3}");
}
