//! The log lines about sources: one for each change, with cause and cure, and without their content.

use std::time::Duration;

use twilio_email_exporter::sources::{Files, SourceReporter};

use super::lists::{Lists, Reply};
use super::{Scene, account_of, id, list};
use crate::support::log::Log;

#[tokio::test]
async fn a_url_is_logged_when_it_breaks_and_when_it_works_again() {
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
    let labeled = format!(
        r#"[{{"targets": ["{}"], "labels": {{"a-b": "s3cret"}}}}]"#,
        id("41")
    );
    lists.reply(Reply::json(labeled));
    for _ in 0..3 {
        scene.fetch().await;
    }
    let source = lists.url("#");
    let lines = log.take();
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in [
        "WARN cannot use a source of operations; its last operations stay account=default",
        &format!("source={source}"),
        "[0].labels, key 1: a label's name is made of",
    ] {
        assert!(lines[0].contains(part), "no {part} in {lines:?}");
    }
    assert!(!lines[0].contains("s3cret"), "{lines:?}");
    lists.reply(Reply::json(list(&["41", "42"])));
    for _ in 0..3 {
        scene.fetch().await;
    }
    let again = "INFO a source of operations works again account=\"default\"";
    let lines = log.take();
    assert!(
        lines.len() == 1 && lines[0].starts_with(again) && lines[0].ends_with("operations=2"),
        "{lines:?}"
    );
}

#[test]
fn a_file_is_logged_when_it_is_missing_breaks_works_again_and_is_removed() {
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
    let mut lines = |content: Option<&str>| {
        match content {
            Some(content) => scene.write("a.yml", content),
            None => drop(std::fs::remove_file(scene.path("a.yml"))),
        }
        for _ in 0..3 {
            runtime.block_on(files.reread());
        }
        let lines = log.take();
        lines
            .into_iter()
            .map(|line| line.split(" account=").next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let missing = [
        "WARN the operation file does not exist; create it or remove it from the configuration",
        "INFO no operation file matches yet",
    ];
    assert_eq!(lines(None), missing);
    assert_eq!(lines(Some("[]")), ["INFO found operation files"]);
    assert_eq!(
        lines(Some("[")),
        ["WARN cannot use a source of operations; its last operations stay"]
    );
    assert_eq!(
        lines(Some("[]")),
        ["INFO a source of operations works again"]
    );
    let gone = [
        "INFO a source of operations is gone; its operations are removed",
        missing[0],
    ];
    let mut seen = lines(None);
    seen.sort();
    assert_eq!(seen, gone);
}

/// The last hours of a log show what still fails.
#[test]
fn a_lasting_failure_is_logged_once_an_hour() {
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
                let lines = if minute == 0 { 3 } else { 0 };
                assert_eq!(log.take().len(), lines, "minute {minute}");
                // Paused only here: reads run on threads of their own.
                tokio::time::pause();
                tokio::time::advance(Duration::from_mins(1)).await;
                tokio::time::resume();
            }
        }
    });
}
