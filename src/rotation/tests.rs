//! Values that rotate, on a clock that the test controls. Reads that hang are simulated.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex as Lock};

use super::*;
use crate::ongoing_failure::log::Log;

/// A folder with the files of one value.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, content) in files {
            folder.write(name, content);
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).unwrap();
    }

    /// The texts of the files, joined. A text that contains `bad` is an error.
    fn origin(&self, names: &[&'static str]) -> Origin<String> {
        let file = |name: &&'static str| RotatingFile {
            key: (names.len() > 1).then_some(*name),
            path: self.path(name),
        };
        Origin {
            account: "default".into(),
            place: "the place".to_owned(),
            files: names.iter().map(file).collect(),
            largest: 1024,
            parse: Box::new(|contents| {
                let texts = contents.iter().map(Content::as_bytes);
                let text = texts.map(String::from_utf8_lossy).collect::<String>();
                if text.contains("bad") {
                    return Err("it is not good".to_owned());
                }
                Ok(text)
            }),
        }
    }
}

/// The clock is paused only here, because reads run on threads of their own.
async fn advance(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_value_follows_its_file() {
    let folder = Folder::new(&[("a", "one")]);
    let value = RotatingValue::unread(folder.origin(&["a"]));
    let (log, _guard) = Log::start();
    assert_eq!(value.current(), None);
    for _ in 0..2 {
        assert_eq!(value.refreshed().await.unwrap(), "one");
    }
    assert_eq!(log.take(), [""; 0]);
    folder.write("a", "two");
    for _ in 0..2 {
        assert_eq!(value.refreshed().await.unwrap(), "two");
    }
    assert_eq!(value.current().unwrap(), "two");
    let lines = log.take();
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in [
        "INFO ",
        "has new content",
        "account=default",
        "place=\"the place\"",
    ] {
        assert!(lines[0].contains(part), "{lines:?}");
    }
    assert!(!lines[0].contains("two") && !format!("{value:?}").contains("two"));
}

#[tokio::test]
async fn without_a_good_value_each_error_is_returned_and_not_logged() {
    let folder = Folder::new(&[("a", "bad")]);
    let value = RotatingValue::unread(folder.origin(&["a"]));
    let (log, _guard) = Log::start();
    for _ in 0..2 {
        assert_eq!(value.refreshed().await.unwrap_err(), "it is not good");
    }
    folder.write("a", &"x".repeat(1025));
    let error = value.refreshed().await.unwrap_err();
    assert!(error.ends_with("/a: it is larger than 1 KiB"), "{error}");
    folder.remove("a");
    let error = value.refreshed().await.unwrap_err();
    assert!(error.starts_with("cannot read /"), "{error}");
    assert_eq!(log.take(), [""; 0]);
    folder.write("a", "one");
    assert_eq!(value.refreshed().await.unwrap(), "one");
}

/// The last hours of a log show what still fails.
#[tokio::test]
async fn a_failure_is_logged_when_it_begins_once_an_hour_and_when_it_ends() {
    let folder = Folder::new(&[("a", "one")]);
    let first = read(&folder.path("a"), 1024).unwrap();
    let value = RotatingValue::from_contents(folder.origin(&["a"]), &[first]);
    let (log, _guard) = Log::start();
    folder.remove("a");
    for hour in 0..3 {
        for minute in 0..60 {
            assert_eq!(value.refreshed().await.unwrap(), "one");
            let lines = log.take();
            let expected = usize::from(minute == 0);
            assert_eq!(lines.len(), expected, "{hour} h {minute} min: {lines:?}");
            let is_warning = |line: &String| {
                line.starts_with("WARN ") && line.contains("No such file") && line.contains("place")
            };
            assert!(lines.iter().all(is_warning), "{lines:?}");
            advance(Duration::from_mins(1)).await;
        }
    }
    // Another failure is another line.
    folder.write("a", "bad");
    for expected in [1, 0] {
        assert_eq!(value.refreshed().await.unwrap(), "one");
        assert_eq!(log.take().len(), expected);
    }
    folder.write("a", "one");
    for expected in [1, 0] {
        assert_eq!(value.refreshed().await.unwrap(), "one");
        let lines = log.take();
        assert_eq!(lines.len(), expected, "{lines:?}");
        assert!(
            lines
                .iter()
                .all(|line| line.contains("can be read again") && line.starts_with("INFO "))
        );
    }
}

#[tokio::test]
async fn files_that_belong_together_are_replaced_together() {
    let folder = Folder::new(&[("a", "one "), ("b", "two")]);
    let value = RotatingValue::unread(folder.origin(&["a", "b"]));
    assert_eq!(value.refreshed().await.unwrap(), "one two");
    folder.write("a", "three bad ");
    assert_eq!(value.refreshed().await.unwrap(), "one two");
    folder.write("a", "three ");
    folder.remove("b");
    assert_eq!(value.refreshed().await.unwrap(), "one two");
    folder.write("b", "four");
    assert_eq!(value.refreshed().await.unwrap(), "three four");
    let value = RotatingValue::unread(folder.origin(&["a", "b"]));
    folder.remove("b");
    let error = value.refreshed().await.unwrap_err();
    assert!(error.starts_with("b: cannot read /"), "{error}");
}

#[tokio::test]
async fn a_value_without_files_is_made_once() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let origin = Origin {
        parse: Box::new(move |_| Ok(count.fetch_add(1, Ordering::Relaxed))),
        ..Folder::new(&[]).origin(&[]).without_parse()
    };
    let value = RotatingValue::unread(origin);
    for _ in 0..3 {
        assert_eq!(value.refreshed().await, Ok(0));
    }
    assert_eq!(made.load(Ordering::Relaxed), 1);
}

impl<T> Origin<T> {
    fn without_parse<U>(self) -> Origin<U> {
        Origin {
            account: self.account,
            place: self.place,
            files: self.files,
            largest: self.largest,
            parse: Box::new(|_| Err("no parse".to_owned())),
        }
    }
}

/// Reads hang while the flag is set.
#[derive(Debug, Default)]
struct Gate {
    is_hanging: Lock<bool>,
    changed: Condvar,
    begun: AtomicUsize,
}

impl Gate {
    fn set(&self, is_hanging: bool) {
        *self.is_hanging.lock().unwrap() = is_hanging;
        self.changed.notify_all();
    }

    fn pass(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let hanging = self.is_hanging.lock().unwrap();
        drop(self.changed.wait_while(hanging, |hanging| *hanging));
    }
}

#[tokio::test]
async fn a_read_that_hangs_is_waited_for_once_and_not_repeated() {
    let folder = Folder::new(&[("a", "one")]);
    let gate = Arc::new(Gate::default());
    let mut origin = folder.origin(&["a"]);
    let (parse, pass) = (origin.parse, Arc::clone(&gate));
    origin.parse = Box::new(move |contents| {
        pass.pass();
        parse(contents)
    });
    let value = RotatingValue::unread(origin);
    assert_eq!(value.refreshed().await.unwrap(), "one");
    let (log, _guard) = Log::start();
    gate.set(true);
    folder.write("a", "two");
    let began = std::time::Instant::now();
    for _ in 0..20 {
        assert_eq!(value.refreshed().await.unwrap(), "one");
    }
    let took = began.elapsed();
    assert!(LIMIT <= took && took < 2 * LIMIT, "{took:?}");
    assert_eq!(gate.begun.load(Ordering::Relaxed), 2, "the first and one");
    let lines = log.take();
    let hangs = "reading takes longer than 1 s; check the disk";
    assert!(lines.len() == 1 && lines[0].contains(hangs), "{lines:?}");
    gate.set(false);
    let deadline = Instant::now() + 20 * LIMIT;
    while value.refreshed().await.unwrap() != "two" {
        assert!(Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
    let lines = log.take();
    assert_eq!(lines.len(), 2, "read again, new content: {lines:?}");
}

/// The next refresh continues the read that a refresh began before it was cut off.
#[tokio::test]
async fn a_refresh_that_is_cut_off_loses_nothing() {
    let folder = Folder::new(&[("a", "one")]);
    let gate = Arc::new(Gate::default());
    gate.set(true);
    let mut origin = folder.origin(&["a"]);
    let (parse, pass) = (origin.parse, Arc::clone(&gate));
    origin.parse = Box::new(move |contents| {
        pass.pass();
        parse(contents)
    });
    let value = RotatingValue::unread(origin);
    let cut_off = tokio::time::timeout(Duration::from_millis(1), value.refreshed());
    assert!(cut_off.await.is_err());
    gate.set(false);
    assert_eq!(value.refreshed().await.unwrap(), "one");
    assert_eq!(gate.begun.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_pipe_is_read_once_and_a_folder_is_an_error() {
    let folder = Folder::new(&[("a", "one")]);
    let value = RotatingValue::unread(folder.origin(&["a"]));
    assert_eq!(value.refreshed().await.unwrap(), "one");
    let (log, _guard) = Log::start();
    folder.remove("a");
    let made = Command::new("mkfifo").arg(folder.path("a")).status();
    assert!(made.unwrap().success());
    let began = std::time::Instant::now();
    assert_eq!(value.refreshed().await.unwrap(), "one");
    assert!(began.elapsed() < LIMIT, "nobody writes into the pipe");
    assert_eq!(log.take(), [""; 0]);
    folder.remove("a");
    std::fs::create_dir(folder.path("a")).unwrap();
    assert_eq!(value.refreshed().await.unwrap(), "one");
    assert_eq!(log.take().len(), 1);
}

#[tokio::test]
async fn a_panic_is_an_error_that_quotes_nothing() {
    let folder = Folder::new(&[("a", "one")]);
    let mut origin = folder.origin(&["a"]);
    origin.parse = Box::new(|contents| panic!("{:?}", contents[0].as_bytes()));
    let value = RotatingValue::unread(origin);
    for _ in 0..2 {
        // On a busy machine, printing where it panicked can outlast the limit of a read.
        let deadline = Instant::now() + 20 * LIMIT;
        let mut error = value.refreshed().await.unwrap_err();
        while error.contains("takes longer") && Instant::now() < deadline {
            error = value.refreshed().await.unwrap_err();
        }
        assert_eq!(error, "the read was aborted");
    }
}
