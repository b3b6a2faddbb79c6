//! What is logged of sources: each change once, with everything needed to cure it, and nothing of their content.

use std::cell::RefCell;
use std::io;
use std::sync::Once;
use std::time::Duration;

use twilio_email_exporter::sources::{Files, SourceReporter};

use super::lists::{Lists, Reply};
use super::{Scene, account_of, id, list};

thread_local! {
    /// What this thread has logged since it listens.
    static LOGGED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Writes where the thread listens.
struct Here;

impl io::Write for Here {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.iter_mut().for_each(|log| log.extend(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What this thread logs from now on.
pub(super) struct Log;

impl Log {
    /// One subscriber for all threads: with one for each, whichever thread first comes to a place that logs would decide
    /// for all of them whether anybody listens.
    pub(super) fn start() -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::INFO)
                .with_writer(|| Here)
                .with_ansi(false)
                .without_time()
                .with_target(false)
                .finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
            tracing::callsite::rebuild_interest_cache();
        });
        LOGGED.set(Some(Vec::new()));
        Self
    }

    /// The lines since the last time.
    pub(super) fn take(&self) -> Vec<String> {
        let Self = self;
        let logged = LOGGED.replace(Some(Vec::new())).unwrap();
        let text = String::from_utf8(logged).unwrap();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_url_is_told_when_it_breaks_and_when_it_works_again() {
    let lists = Lists::start(Reply::json(list(&["41"]))).await;
    let login = "authorization: {credentials_file: secret}";
    let yaml = format!(
        "operation_urls:\n- url: {}?key=s3cret\n  {login}",
        lists.url("/")
    );
    let scene = Scene::new(&yaml, &[("secret", "s3cret")]);
    let log = Log::start();
    scene.fetch().await;
    assert_eq!(log.take(), [""; 0]);
    let labelled = format!(
        r#"[{{"targets": ["{}"], "labels": {{"a-b": "s3cret"}}}}]"#,
        id("41")
    );
    lists.reply(Reply::json(labelled));
    for _ in 0..3 {
        scene.fetch().await;
    }
    let source = lists.url("#");
    let told = log.take();
    assert_eq!(told.len(), 1, "{told:?}");
    for part in [
        "WARN a source of operations cannot be used; what it listed last stays account=default",
        &format!("source={source}"),
        "[0].labels, key 1: a label's name is made of",
    ] {
        assert!(told[0].contains(part), "no {part} in {told:?}");
    }
    assert!(!told[0].contains("s3cret"), "{told:?}");
    lists.reply(Reply::json(list(&["41", "42"])));
    for _ in 0..3 {
        scene.fetch().await;
    }
    let again = "INFO a source of operations works again account=\"default\"";
    let told = log.take();
    assert!(
        told.len() == 1 && told[0].starts_with(again) && told[0].ends_with("operations=2"),
        "{told:?}"
    );
}

#[test]
fn a_file_is_told_when_it_is_missing_breaks_works_again_and_goes() {
    let scene = Scene::new("operation_files: [a.yml, 'none/*.yml']", &[]);
    let account = account_of(&scene.files);
    let reporter = SourceReporter::new(
        "default".into(),
        scene.instruments.sources("default"),
        scene.clock.clone(),
    );
    let mut files = Files::new(account.operation_files, reporter);
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    let log = Log::start();
    let mut told = |content: Option<&str>| {
        match content {
            Some(content) => scene.write("a.yml", content),
            None => drop(std::fs::remove_file(scene.path("a.yml"))),
        }
        for _ in 0..3 {
            runtime.block_on(files.reread());
        }
        let told = log.take();
        told.into_iter()
            .map(|line| line.split(" account=").next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let missing = [
        "WARN the file that lists operations is not there; create it or take it out of the configuration",
        "INFO no file that lists operations is there yet",
    ];
    assert_eq!(told(None), missing);
    assert_eq!(
        told(Some("[]")),
        ["INFO files that list operations are there"]
    );
    assert_eq!(
        told(Some("[")),
        ["WARN a source of operations cannot be used; what it listed last stays"]
    );
    assert_eq!(
        told(Some("[]")),
        ["INFO a source of operations works again"]
    );
    let gone = [
        "INFO a source of operations is gone, and what it listed with it",
        missing[0],
    ];
    let mut seen = told(None);
    seen.sort();
    assert_eq!(seen, gone);
}

/// A log that is read for its last hours shows what still fails.
#[test]
fn what_goes_on_failing_is_told_once_an_hour() {
    let scene = Scene::new("operation_files: [a.yml, b.yml, 'none/*.yml']", &[]);
    scene.write("b.yml", "[");
    let account = account_of(&scene.files);
    let reporter = SourceReporter::new(
        "default".into(),
        scene.instruments.sources("default"),
        scene.clock.clone(),
    );
    let mut files = Files::new(account.operation_files, reporter);
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    let log = Log::start();
    runtime.block_on(async {
        for _ in 0..3 {
            for minute in 0..60 {
                files.reread().await;
                let told = if minute == 0 { 3 } else { 0 };
                assert_eq!(log.take().len(), told, "minute {minute}");
                // Paused for this moment alone: reads go on on threads of their own.
                tokio::time::pause();
                tokio::time::advance(Duration::from_mins(1)).await;
                tokio::time::resume();
            }
        }
    });
}
