//! Real files in real directories, with every kind of change.

mod hanging;

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::clock::Clock;
use crate::config::{Config, Overrides};
use crate::exposition::{Build, Instruments, Syntax, render};
use crate::snapshot::Snapshot;
use crate::sources::listing::LARGEST;

const A: &str = "- targets: [comms_operation_01h2xcejqtf2nbrexx3vqjhp41]\n";
const B: &str = "- targets: [comms_operation_01h2xcejqtf2nbrexx3vqjhp42]\n";
const BOTH: &str = "- targets: [comms_operation_01h2xcejqtf2nbrexx3vqjhp41, comms_operation_01h2xcejqtf2nbrexx3vqjhp42]\n";

/// A directory and its [`Files`].
struct Scene {
    directory: TempDir,
    files: Files,
    instruments: Instruments,
    clock: Clock,
    runtime: tokio::runtime::Runtime,
    /// Whether some directory could not be read when the files were last read.
    incomplete: bool,
}

impl Scene {
    /// Watches the files of a new directory that match `patterns`. The clock shows an hour from now, so that every file is settled and a
    /// fingerprint alone decides what is read.
    fn new(patterns: &str) -> Self {
        let later = Clock::manual(Clock::System.now() + Duration::from_hours(1));
        Self::at(patterns, later)
    }

    fn at(patterns: &str, clock: Clock) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sid = format!("AC{}", "0".repeat(32));
        let yaml = format!(
            "accounts: [{{name: a, account_sid: {sid}, auth_token_file: token, operation_files: {patterns}}}]"
        );
        let config = directory.path().join("configuration");
        fs::write(&config, yaml).unwrap();
        fs::write(directory.path().join("token"), "made-up").unwrap();
        let overrides = Overrides {
            config_file: Some(config),
            ..Overrides::default()
        };
        let config = Config::load(&overrides, &|_| None).unwrap();
        let build = Build {
            version: "1",
            revision: "a",
        };
        let instruments = Instruments::new(build).unwrap();
        let reporter = SourceReporter::new("a".into(), instruments.sources("a"), clock.clone());
        let files = Files::new(config.accounts[0].operation_files.clone(), reporter);
        Self {
            directory,
            files,
            instruments,
            clock,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            incomplete: false,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    /// The reports about the files, in short: `a.yml: 41 42`, `a.yml: gone`, `a.yml: broken (why)`.
    fn reread(&mut self) -> Vec<String> {
        let name = |source: &str| {
            Path::new(source)
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        let RereadFiles { news, incomplete } = self.runtime.block_on(self.files.reread());
        self.incomplete = incomplete;
        let show = |news| match news {
            News::Listed { source, operations } => {
                let ids = operations.keys().map(ToString::to_string);
                let ids: Vec<_> = ids.map(|id| id[id.len() - 2..].to_owned()).collect();
                format!("{}: {}", name(&source), ids.join(" "))
            }
            News::Gone { source } => format!("{}: gone", name(&source)),
            News::Broken { source, error } => format!("{}: broken ({error})", name(&source)),
        };
        news.into_iter().map(show).collect()
    }

    /// The metrics of a file: up, operations, seconds of the last success.
    fn metrics(&self, name: &str) -> [Option<f64>; 3] {
        let mut out = Vec::new();
        render(
            &Snapshot::default(),
            &self.instruments,
            Syntax::Text,
            &mut out,
        );
        let text = String::from_utf8(out).unwrap();
        ["up", "operations", "last_success_timestamp_seconds"].map(|metric| {
            let path = self.path(name);
            let series = format!(
                "twilio_email_source_{metric}{{account=\"a\",source=\"{}\"}} ",
                path.display()
            );
            let value = text.lines().find_map(|line| line.strip_prefix(&series));
            value.map(|value| value.parse().unwrap())
        })
    }
}

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_file_is_reported_when_it_is_created_changed_and_removed() {
    let mut scene = Scene::new("[a.yml]");
    assert_eq!(scene.reread(), nothing());
    scene.write("a.yml", A);
    assert_eq!(scene.reread(), ["a.yml: 41"]);
    assert_eq!(scene.reread(), nothing());
    scene.write("a.yml", B);
    assert_eq!(scene.reread(), ["a.yml: 42"], "in place, of the same size");
    scene.write("a.yml", BOTH);
    assert_eq!(scene.reread(), ["a.yml: 41 42"]);
    scene.write("a.yml", "[]");
    assert_eq!(scene.reread(), ["a.yml: "]);
    fs::remove_file(scene.path("a.yml")).unwrap();
    assert_eq!(scene.reread(), ["a.yml: gone"]);
    assert_eq!(scene.reread(), nothing());
    scene.write("a.yml", A);
    assert_eq!(scene.reread(), ["a.yml: 41"], "it is back");
}

#[test]
fn a_file_that_was_replaced_by_a_rename_is_read() {
    let mut scene = Scene::new("['*.yml']");
    scene.write("a.yml", A);
    assert_eq!(scene.reread(), ["a.yml: 41"]);
    let times = fs::metadata(scene.path("a.yml")).unwrap();
    scene.write("new", B);
    let new = File::options().write(true).open(scene.path("new")).unwrap();
    new.set_modified(times.modified().unwrap()).unwrap();
    fs::rename(scene.path("new"), scene.path("a.yml")).unwrap();
    assert_eq!(scene.reread(), ["a.yml: 42"], "of the same size and age");
    fs::rename(scene.path("a.yml"), scene.path("b.yml")).unwrap();
    assert_eq!(scene.reread(), ["b.yml: 42", "a.yml: gone"]);
}

/// Like a volume of Kubernetes: `a.yml` → `..data/a.yml`, `..data` → a directory, replaced in one step.
#[test]
fn a_changed_symbolic_link_is_followed() {
    let mut scene = Scene::new("['*.yml', '*.json']");
    for (version, content) in [("..1", A), ("..2", B)] {
        fs::create_dir(scene.path(version)).unwrap();
        scene.write(&format!("{version}/a.yml"), content);
    }
    symlink("..1", scene.path("..data")).unwrap();
    symlink("..data/a.yml", scene.path("a.yml")).unwrap();
    assert_eq!(scene.reread(), ["a.yml: 41"]);
    symlink("..2", scene.path("..tmp")).unwrap();
    fs::rename(scene.path("..tmp"), scene.path("..data")).unwrap();
    assert_eq!(scene.reread(), ["a.yml: 42"]);
    fs::remove_dir_all(scene.path("..1")).unwrap();
    assert_eq!(scene.reread(), nothing());
    fs::remove_file(scene.path("..data")).unwrap();
    assert_eq!(scene.reread(), ["a.yml: gone"], "the link leads nowhere");
}

#[test]
fn an_invalid_file_keeps_the_last_operations_and_is_reported_once() {
    let mut scene = Scene::new("[a.yml]");
    scene.write("a.yml", A);
    scene.reread();
    let listed_at = scene.clock.now().as_seconds();
    scene.clock.set(scene.clock.now() + Duration::from_secs(15));
    scene.write("a.yml", "- targets: [spring]\n");
    let problem = "[0].targets[0]: an operation id starts with `comms_operation_`";
    assert_eq!(scene.reread(), [format!("a.yml: broken ({problem})")]);
    assert_eq!(scene.reread(), nothing());
    assert_eq!(
        scene.metrics("a.yml"),
        [Some(0.0), Some(1.0), Some(listed_at)]
    );
    scene.write("a.yml", "- targets: [spring]\n# the same\n");
    assert_eq!(scene.reread(), nothing(), "broken in the same way");
    scene.write("a.yml", "");
    assert_eq!(
        scene.reread(),
        ["a.yml: broken (empty; a list without operations is written `[]`)"]
    );
    scene.write("a.yml", A);
    assert_eq!(scene.reread(), ["a.yml: 41"]);
    let now = scene.clock.now().as_seconds();
    assert_eq!(scene.metrics("a.yml"), [Some(1.0), Some(1.0), Some(now)]);
}

#[test]
fn an_unreadable_file_keeps_the_last_operations() {
    let mut scene = Scene::new("['*.yml']");
    scene.write("a.yml", A);
    scene.reread();
    fs::remove_file(scene.path("a.yml")).unwrap();
    symlink("a.yml", scene.path("a.yml")).unwrap();
    let reported = scene.reread();
    assert!(
        reported.len() == 1 && reported[0].starts_with("a.yml: broken (cannot read it: "),
        "{reported:?}"
    );
    assert_eq!(scene.reread(), nothing());
    fs::remove_file(scene.path("a.yml")).unwrap();
    fs::create_dir(scene.path("a.yml")).unwrap();
    assert_eq!(
        scene.reread(),
        ["a.yml: broken (cannot read it: it is not a file)"]
    );
    assert_eq!(scene.metrics("a.yml")[0], Some(0.0));
    fs::remove_dir(scene.path("a.yml")).unwrap();
    scene.write("a.yml", A);
    assert_eq!(
        scene.reread(),
        ["a.yml: 41"],
        "the same as before, and yet reported"
    );
    fs::remove_file(scene.path("a.yml")).unwrap();
    assert_eq!(scene.reread(), ["a.yml: gone"]);
    assert_eq!(scene.metrics("a.yml"), [None; 3]);
}

#[test]
fn a_file_that_was_never_valid_lists_nothing() {
    let mut scene = Scene::new("[a.json]");
    scene.write("a.json", A);
    let reported = scene.reread();
    assert!(
        reported[0].starts_with("a.json: broken (line 1, column 2: not JSON: "),
        "{reported:?}"
    );
    assert_eq!(scene.metrics("a.json"), [Some(0.0), None, None]);
    File::create(scene.path("a.json"))
        .unwrap()
        .set_len(LARGEST as u64 + 1)
        .unwrap();
    assert_eq!(
        scene.reread(),
        ["a.json: broken (it is larger than 16 MiB; split it)"]
    );
}

#[test]
fn an_unreadable_directory_removes_no_operation() {
    let mut scene = Scene::new("['d/*.yml', e.yml]");
    fs::create_dir(scene.path("1")).unwrap();
    symlink("1", scene.path("d")).unwrap();
    scene.write("d/a.yml", A);
    scene.write("e.yml", B);
    assert_eq!(scene.reread(), ["a.yml: 41", "e.yml: 42"]);
    fs::remove_file(scene.path("d")).unwrap();
    symlink("d", scene.path("d")).unwrap();
    let reported = scene.reread();
    assert!(
        reported.len() == 1 && reported[0].starts_with("a.yml: broken (cannot read it: "),
        "{reported:?}"
    );
    assert_eq!(scene.reread(), nothing());
    assert!(scene.incomplete, "there may be others");
    fs::remove_file(scene.path("d")).unwrap();
    symlink("1", scene.path("d")).unwrap();
    assert_eq!(scene.reread(), ["a.yml: 41"]);
    assert!(!scene.incomplete);
    fs::remove_file(scene.path("d")).unwrap();
    assert_eq!(
        scene.reread(),
        ["a.yml: gone"],
        "there is no such directory"
    );
}

#[test]
fn a_file_that_several_patterns_name_is_one_source() {
    let mut scene = Scene::new("['*.yml', a.yml, 'a*.yml', a.yml]");
    scene.write("a.yml", A);
    scene.write(".b.yml", B);
    scene.write("c.yml.swp", B);
    assert_eq!(scene.reread(), ["a.yml: 41"]);
}

#[test]
fn an_unchanged_file_is_not_read() {
    let mut scene = Scene::new("[a.yml]");
    scene.write("a.yml", A);
    scene.reread();
    let path = scene.path("a.yml");
    let known = scene.files.known[&path].fingerprint;
    assert!(known.is_some());
    assert!(matches!(System.find(&path, known), Ok(Found::Unchanged)));
    scene.clock.set(scene.clock.now() + Duration::from_secs(15));
    scene.reread();
    assert_eq!(
        scene.metrics("a.yml")[2],
        Some(scene.clock.now().as_seconds())
    );
    let unchanged = File::options().write(true).open(&path).unwrap();
    unchanged.set_modified(std::time::UNIX_EPOCH).unwrap();
    assert!(
        matches!(System.find(&path, known), Ok(Found::Content(..))),
        "touched"
    );
    assert_eq!(scene.reread(), nothing(), "read, and the same");
}

/// Two changes within one tick of the disk's clock leave the same fingerprint.
#[test]
fn a_file_that_has_just_changed_is_read_again() {
    let mut scene = Scene::at("[a.yml]", Clock::System);
    scene.write("a.yml", A);
    assert_eq!(scene.reread(), ["a.yml: 41"]);
    assert_eq!(scene.files.known[&scene.path("a.yml")].fingerprint, None);
    for (content, reported) in [(B, "a.yml: 42"), (A, "a.yml: 41"), (B, "a.yml: 42")] {
        scene.write("a.yml", content);
        assert_eq!(scene.reread(), [reported]);
    }
}

#[test]
fn the_number_of_files_is_limited() {
    let mut scene = Scene::new("['*.yml']");
    for number in 0..=MOST_FILES {
        scene.write(&format!("{number:04}.yml"), "[]");
    }
    let reported = scene.reread();
    assert_eq!(
        (reported.len(), reported[0].as_str()),
        (MOST_FILES, "0000.yml: ")
    );
    fs::remove_file(scene.path("0000.yml")).unwrap();
    assert_eq!(scene.reread(), ["1000.yml: ", "0000.yml: gone"]);
}
