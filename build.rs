//! Embeds what `--version` and `build_info` report: the commit, the date of the build, the compiler and the target.
//!
//! The commit is the first of: the variable `TWILIO_EMAIL_REVISION`; the file `REVISION`, which a source archive contains in place of
//! Git's data; Git's `HEAD`. A build that has none of them reports `unknown`.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// The variable with the commit. It is also the name under which the program finds it.
const REVISION: &str = "TWILIO_EMAIL_REVISION";
/// The variable with the date of a reproducible build, in seconds since 1970: <https://reproducible-builds.org/specs/source-date-epoch/>.
const DATE: &str = "SOURCE_DATE_EPOCH";
/// The file with the commit in a source archive.
const REVISION_FILE: &str = "REVISION";

fn main() {
    for variable in [REVISION, DATE] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    let unknown = || "unknown".to_owned();
    let target = env::var("TARGET").unwrap_or_else(|_| unknown());
    let compiler =
        env::var_os("RUSTC").and_then(|rustc| output(Command::new(rustc).arg("--version")));
    for (name, value) in [
        (REVISION, revision().unwrap_or_else(unknown)),
        ("TWILIO_EMAIL_BUILD_DATE", date()),
        ("TWILIO_EMAIL_COMPILER", compiler.unwrap_or_else(unknown)),
        ("TWILIO_EMAIL_TARGET", target),
    ] {
        println!("cargo::rustc-env={name}={value}");
    }
}

fn revision() -> Option<String> {
    let given = env::var(REVISION).ok();
    let given = given.filter(|revision| !revision.is_empty());
    given.or_else(from_archive).or_else(from_git)
}

fn from_archive() -> Option<String> {
    let revision = fs::read_to_string(REVISION_FILE).ok()?;
    println!("cargo::rerun-if-changed={REVISION_FILE}");
    revision.split_whitespace().next().map(str::to_owned)
}

fn from_git() -> Option<String> {
    // Only this directory's own repository: an archive may be unpacked inside another one.
    if !Path::new(".git").exists() {
        return None;
    }
    let git = |arguments: &[&str]| output(Command::new("git").args(arguments));
    // The log of HEAD grows with every commit and checkout. Cargo would run this script at every build for a file that is missing.
    for name in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", name])?;
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

/// The date of the build in UTC, such as `2026-11-27`.
fn date() -> String {
    let given = env::var(DATE).ok();
    let given = given.and_then(|seconds| seconds.parse().ok());
    let since_1970 = given.map(Duration::from_secs).or_else(|| {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .ok()
    });
    let date = since_1970
        .and_then(|time| i64::try_from(time.as_secs()).ok())
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    date.map_or_else(
        || "unknown".to_owned(),
        |date| date.strftime("%Y-%m-%d").to_string(),
    )
}

/// The first line that `command` prints; `None` if it fails.
fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next()?.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}
