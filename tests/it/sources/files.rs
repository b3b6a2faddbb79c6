//! Files, as a collection looks at them; how files change is tested beside the code.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use futures_util::future::poll_immediate;
use tokio::runtime::Runtime;

use super::lists::{Lists, Reply};
use super::{Scene, id, list};
use crate::support::eventually;

#[tokio::test]
async fn a_look_delivers_what_became_of_files() {
    let scene = Scene::new(
        "operation_files: ['*.json', b.yml]",
        &[("a.json", &list(&["41"]))],
    );
    assert_eq!(scene.look().await, ["listed 41"]);
    assert_eq!(scene.look().await, [""; 0]);
    assert_eq!(scene.figure("operations"), Some(1.0));
    scene.write(
        "b.yml",
        &format!("- targets: [{}]\n  labels: {{campaign: spring}}", id("42")),
    );
    assert_eq!(scene.look().await, ["listed 42,campaign=spring"]);
    std::fs::remove_file(scene.path("a.json")).unwrap();
    assert_eq!(scene.look().await, ["gone"]);
    let shown = scene.shown();
    let path = scene.path("b.yml").display().to_string();
    let labels = [("account", "default"), ("source", path.as_str())];
    assert_eq!(shown.value("twilio_email_source_up", &labels), Some(1.0));
    assert_eq!(scene.figure("up"), Some(1.0), "no series of the other");
}

/// A runtime whose only thread that may block waits until something is sent, as if for a disk.
fn behind_a_slow_disk() -> (Runtime, Sender<()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (answer, disk) = std::sync::mpsc::channel();
    runtime.spawn_blocking(move || disk.recv());
    (runtime, answer)
}

#[test]
fn a_look_that_is_cut_off_loses_nothing() {
    let scene = Scene::new("operation_files: [a.json]", &[("a.json", &list(&["41"]))]);
    let (runtime, disk) = behind_a_slow_disk();
    runtime.block_on(async {
        let look = Box::pin(scene.look());
        assert_eq!(poll_immediate(look).await, None);
        disk.send(()).unwrap();
        assert_eq!(scene.look().await, ["listed 41"]);
        assert_eq!(scene.look().await, [""; 0]);
    });
}

#[test]
fn a_disk_that_does_not_answer_holds_nobody_up_for_long() {
    let scene = Scene::new("operation_files: [a.json]", &[("a.json", &list(&["41"]))]);
    let (runtime, disk) = behind_a_slow_disk();
    runtime.block_on(async {
        tokio::time::pause();
        let mut look = Box::pin(scene.look());
        assert_eq!(poll_immediate(&mut look).await, None);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(look.await, [""; 0]);
        tokio::time::resume();
        disk.send(()).unwrap();
        assert_eq!(scene.look().await, ["listed 41"]);
    });
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
        let told = scene.look();
        async { told.await.len() == 2 }
    })
    .await;
    for source in ["a.yml", "a.json"] {
        let path = scene.path(source).display().to_string();
        let figure = scene
            .shown()
            .value("twilio_email_source_operations", &[("source", &path)]);
        listed += u32::from(figure == Some(10_000.0));
    }
    assert_eq!(listed, 2);
}

#[tokio::test]
async fn without_files_there_is_nothing_to_look_at() {
    let scene = Scene::new("operation_urls: [{url: 'http://127.0.0.1:1/'}]", &[]);
    scene.sources.look(|_| panic!("no news")).await;
    assert_eq!(scene.figure("up"), None);
}

/// As the exporter runs them: on tasks that may move between threads.
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
        looking.sources.look(|news| looking.deliver(news)).await;
    });
    looking.await.unwrap();
    eventually("both are told", || async {
        scene.news.lock().unwrap().len() == 2
    })
    .await;
    asking.abort();
    let mut told = scene.take();
    told.sort();
    assert_eq!(told, ["listed 41", "listed 42"]);
}
