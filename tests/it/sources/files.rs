//! Files that list operations, as a collection rereads them. Unit tests cover how files change.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::poll_immediate;

use super::lists::{Lists, Reply};
use super::{Scene, id, list};
use crate::support::eventually;
use crate::support::exporter::{Exporter, one_account};
use crate::support::exposition::Exposition;
use crate::support::twilio::Twilio;

#[tokio::test]
async fn rereading_reports_each_changed_file() {
    let scene = Scene::new(
        "operation_files: ['*.json', b.yml]",
        &[("a.json", &list(&["41"]))],
    );
    assert_eq!(scene.reread().await, ["listed 41"]);
    assert_eq!(scene.reread().await, [""; 0]);
    assert_eq!(scene.metric("operations"), Some(1.0));
    scene.write(
        "b.yml",
        &format!("- targets: [{}]\n  labels: {{campaign: spring}}", id("42")),
    );
    assert_eq!(scene.reread().await, ["listed 42,campaign=spring"]);
    std::fs::remove_file(scene.path("a.json")).unwrap();
    assert_eq!(scene.reread().await, ["gone"]);
    let shown = scene.shown();
    let path = scene.path("b.yml").display().to_string();
    let labels = [("account", "default"), ("source", path.as_str())];
    assert_eq!(shown.value("twilio_email_source_up", &labels), Some(1.0));
    assert_eq!(scene.metric("up"), Some(1.0), "no series of the other");
}

#[tokio::test]
async fn a_cancelled_reread_loses_no_change() {
    let scene = Scene::new("operation_files: [a.json]", &[("a.json", &list(&["41"]))]);
    let look = Box::pin(scene.reread());
    assert_eq!(poll_immediate(look).await, None);
    assert_eq!(scene.reread().await, ["listed 41"]);
    assert_eq!(scene.reread().await, [""; 0]);
}

/// Makes every open of a file hang, like a mount whose server is gone, until the value is dropped.
/// The kernel makes an open wait for the holder of a lease, for at most 45 s (`/proc/sys/fs/lease-break-time`).
struct Held {
    holder: Child,
}

impl Held {
    fn new(path: &Path) -> Self {
        const HOLD: &str = "\
import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
file = os.open(sys.argv[1], os.O_RDONLY)
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print('held', flush=True)
sys.stdin.read()
";
        let mut holder = Command::new("python3")
            .args(["-c", HOLD])
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("python3: {error}; run tests/run, which has it"));
        let mut line = String::new();
        let mut output = BufReader::new(holder.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Self { holder }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Both fail only if it has exited already.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// The source's `source_up`.
fn up(seen: &Exposition, path: &Path) -> Option<f64> {
    let path = path.display().to_string();
    seen.value("twilio_email_source_up", &[("source", &path)])
}

#[tokio::test]
async fn a_file_that_hangs_delays_no_scrape_and_no_other_file() {
    let twilio = Twilio::empty().await;
    let yaml = one_account(&twilio, "operation_files: ['d/*.json']");
    let exporter = Exporter::start(&yaml).await.settled().await;
    let directory = exporter.files.config.with_file_name("d");
    std::fs::create_dir(&directory).unwrap();
    let paths = ["a", "b", "c"].map(|name| directory.join(format!("{name}.json")));
    for path in &paths {
        std::fs::write(path, list(&["41"])).unwrap();
    }
    assert_eq!(up(&exporter.scrape().await, &paths[0]), Some(1.0));
    let held = Held::new(&paths[0]);
    // The first scrape notices it.
    let seen = exporter.scrape().await;
    assert_eq!(up(&seen, &paths[0]), Some(0.0));
    for other in ["42", "43", "44"] {
        std::fs::write(&paths[1], list(&["41", other])).unwrap();
        let began = Instant::now();
        let seen = exporter.scrape().await;
        assert!(
            began.elapsed() < Duration::from_millis(500),
            "{:?}",
            began.elapsed()
        );
        let ups = paths.each_ref().map(|path| up(&seen, path));
        assert_eq!(ups, [Some(0.0), Some(1.0), Some(1.0)]);
        let path = paths[1].display().to_string();
        let value = seen.value("twilio_email_source_operations", &[("source", &path)]);
        assert_eq!(value, Some(2.0), "b.json is read");
        seen.expect("meanwhile", &[("up", 1.0)]);
    }
    drop(held);
    eventually("the file is read again", || async {
        up(&exporter.scrape().await, &paths[0]) == Some(1.0)
    })
    .await;
}

#[tokio::test]
async fn ten_thousand_operations_are_read() {
    let scene = Scene::new("operation_files: [a.yml, a.json]", &[]);
    let ids: Vec<_> = (0..10_000).map(|n| id(&format!("aaaa{n:05}"))).collect();
    scene.write(
        "a.yml",
        &format!("- targets:\n  - {}\n", ids.join("\n  - ")),
    );
    scene.write("a.json", &serde_json::json!([{"targets": ids}]).to_string());
    let mut listed = 0;
    eventually("both files are read", || {
        let reports = scene.reread();
        async { reports.await.len() == 2 }
    })
    .await;
    for source in ["a.yml", "a.json"] {
        let path = scene.path(source).display().to_string();
        let value = scene
            .shown()
            .value("twilio_email_source_operations", &[("source", &path)]);
        listed += u32::from(value == Some(10_000.0));
    }
    assert_eq!(listed, 2);
}

#[tokio::test]
async fn without_files_nothing_is_reported() {
    let scene = Scene::new("operation_urls: [{url: 'http://127.0.0.1:1/'}]", &[]);
    scene.sources.reread(|_| panic!("no news")).await;
    assert_eq!(scene.metric("up"), None);
}

/// As in the exporter: on tasks that may change threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_may_be_watched_from_any_task() {
    let lists = Lists::start(Reply::json(list(&["42"]))).await;
    let url = lists.url("/");
    let yaml = format!("operation_files: [a.json]\noperation_urls: [{{url: '{url}'}}]");
    let scene = Arc::new(Scene::new(&yaml, &[("a.json", &list(&["41"]))]));
    let asking = Arc::clone(&scene);
    let asking = tokio::spawn(async move {
        asking.sources.run(|news| asking.deliver(news)).await;
    });
    let looking = Arc::clone(&scene);
    let looking = tokio::spawn(async move {
        looking.sources.reread(|news| looking.deliver(news)).await;
    });
    looking.await.unwrap();
    eventually("both are reported", || async {
        scene.news.lock().unwrap().len() == 2
    })
    .await;
    asking.abort();
    let mut reports = scene.take();
    reports.sort();
    assert_eq!(reports, ["listed 41", "listed 42"]);
}
