//! The words of the style page's list are in no text that users read, and in no comment or name of the code.
//!
//! The list is the table `Words` of `docs/style.md`: each phrase in backticks in its first column. Code is exempt, because names
//! of metrics, options and faults are fixed.

mod code;
mod literals;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use twilio_email_exporter::exposition::catalogue::{ALL, LABELS, PROBED};

use crate::support::files_below;
use crate::support::program::run;

/// The commands that have a help text of their own.
const COMMANDS: [&str; 8] = [
    "serve",
    "demo",
    "simulate",
    "once",
    "health",
    "completions",
    "man",
    "help",
];
/// The keys of a dashboard whose values are texts for people.
const DASHBOARD_TEXTS: [&str; 7] = [
    "title",
    "description",
    "content",
    "text",
    "label",
    "displayName",
    "legendFormat",
];
/// The characters around a phrase in a failure.
const AROUND: usize = 40;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The phrases of the style page that nobody writes.
fn phrases() -> Vec<String> {
    let page = read(&root().join("docs/style.md"));
    let (_, words) = page.split_once("\n## Words\n").unwrap();
    let cells = words
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| row.split(" | ").next().unwrap_or_default());
    cells
        .flat_map(|cell| cell.split('`').step_by(2).filter(|text| *text != ", "))
        .filter(|phrase| !phrase.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// `text` without code: blocks between fences, and what is in backticks.
fn prose(text: &str) -> String {
    let outside = text.split("```").step_by(2);
    outside
        .flat_map(|part| part.split('`').step_by(2))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Each phrase in the prose of `text`, with the words around it.
fn found(text: &str, phrases: &[String]) -> Vec<String> {
    let text = prose(text);
    let words: Vec<_> = text.split_whitespace().collect();
    let text = words.join(" ").to_lowercase();
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let mut found = Vec::new();
    for phrase in phrases {
        for (at, _) in text.match_indices(phrase.as_str()) {
            let (before, after) = (&text[..at], &text[at + phrase.len()..]);
            if before.ends_with(is_word) || after.starts_with(is_word) {
                continue;
            }
            let begin = before
                .char_indices()
                .rev()
                .nth(AROUND)
                .map_or(0, |(at, _)| at);
            let end = after
                .char_indices()
                .nth(AROUND)
                .map_or(after.len(), |(at, _)| at);
            let excerpt = format!("{}{phrase}{}", &before[begin..], &after[..end]);
            found.push(format!("`{phrase}` in …{excerpt}…"));
        }
    }
    found
}

/// Panics with all phrases in `texts`, which are at least `fewest`, so that none is left out by mistake.
fn assert_plain(texts: impl IntoIterator<Item = (String, String)>, fewest: usize) {
    let phrases = phrases();
    let mut count = 0;
    let mut wrong = Vec::new();
    for (place, text) in texts {
        count += 1;
        let phrases = found(&text, &phrases).into_iter();
        wrong.extend(phrases.map(|phrase| format!("{place}: {phrase}")));
    }
    assert!(count >= fewest, "only {count} texts found");
    assert!(
        wrong.is_empty(),
        "docs/style.md says what to write instead: {wrong:#?}"
    );
}

/// The strings of a document, with the key of each; items of a list have the key of the list.
fn strings(key: &str, value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => into.push((key.to_owned(), text.clone())),
        Value::Array(items) => items.iter().for_each(|item| strings(key, item, into)),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(key, field)| strings(key, field, into)),
        _ => {}
    }
}

/// The strings of a file of JSON or YAML below one of `keys`.
fn strings_of(path: &Path, keys: &[&str]) -> Vec<(String, String)> {
    // JSON is YAML.
    let value: Value = serde_saphyr::from_str(&read(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut found = Vec::new();
    strings("", &value, &mut found);
    found.retain(|(key, _)| keys.contains(&key.as_str()));
    let place = |(_, text)| (path.display().to_string(), text);
    found.into_iter().map(place).collect()
}

fn whole(path: &Path) -> (String, String) {
    (path.display().to_string(), read(path))
}

#[test]
fn the_list_has_phrases_and_they_are_found_as_whole_words() {
    let phrases = phrases();
    assert!(phrases.len() > 40, "{phrases:?}");
    assert!(
        phrases.iter().all(|phrase| !phrase.contains(['`', '|'])),
        "{phrases:?}"
    );
    let found = |text: &str| found(text, &phrases).len();
    assert_eq!(found("Its Figures\n  comes   to an\nend."), 2);
    assert_eq!(
        found("`figures`, odd-figure, configured, ```sh\nfigures\n```"),
        0
    );
}

#[test]
fn help_has_no_word_of_the_list() {
    let pages = COMMANDS.iter().map(|command| {
        let finished = run(&[command, "--help"], &[]);
        assert_eq!(finished.code, Some(0), "{command}: {}", finished.stderr);
        (format!("{command} --help"), finished.stdout)
    });
    let main = ("--help".to_owned(), run(&["--help"], &[]).stdout);
    assert_plain(pages.chain([main]), COMMANDS.len() + 1);
}

#[test]
fn metrics_and_labels_are_explained_without_words_of_the_list() {
    let metrics = ALL.iter().chain(PROBED).flat_map(|metric| {
        [metric.help, metric.details].map(|text| (metric.name.to_owned(), text.to_owned()))
    });
    let labels = LABELS
        .iter()
        .map(|label| (label.name.to_owned(), label.meaning.to_owned()));
    assert_plain(metrics.chain(labels), 120);
}

#[test]
fn alerts_have_no_word_of_the_list() {
    let files = files_below(&root().join("deploy/prometheus/rules"), "yml");
    let texts = files
        .iter()
        .flat_map(|path| strings_of(path, &["summary", "description"]));
    assert_plain(texts, 30);
}

#[test]
fn dashboards_have_no_word_of_the_list() {
    let files = files_below(&root().join("grafana"), "json");
    let texts = files
        .iter()
        .flat_map(|path| strings_of(path, &DASHBOARD_TEXTS));
    assert_plain(texts, 200);
}

/// The pages in these folders, except the style page itself.
fn pages_in(folders: &[&str]) -> impl Iterator<Item = PathBuf> {
    let pages = folders
        .iter()
        .flat_map(|folder| files_below(&root().join(folder), "md"));
    let pages: Vec<_> = pages
        .filter(|page| !page.ends_with("docs/style.md"))
        .collect();
    pages.into_iter()
}

#[test]
fn pages_have_no_word_of_the_list() {
    let names = [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
    ];
    let named = names.map(|name| root().join(name)).into_iter();
    let runbooks = root().join("docs/runbooks");
    let pages = pages_in(&["docs"]).filter(|page| !page.starts_with(&runbooks));
    assert_plain(pages.chain(named).map(|path| whole(&path)), 18);
}

#[test]
fn runbooks_and_pages_of_rules_and_dashboards_have_no_word_of_the_list() {
    let pages = pages_in(&["docs/runbooks", "deploy", "grafana"]);
    assert_plain(pages.map(|path| whole(&path)), 20);
}

#[test]
fn messages_of_the_program_have_no_word_of_the_list() {
    let description = root().join("src/web/api/openapi.json");
    let description = strings_of(&description, &["summary", "description", "title"]);
    let messages = files_below(&root().join("src"), "rs")
        .into_iter()
        .filter(|path| !literals::is_test(path))
        .flat_map(|path| {
            let found = literals::sentences(&read(&path));
            let place = path.display().to_string();
            found.into_iter().map(move |text| (place.clone(), text))
        });
    assert_plain(messages.chain(description), 1000);
}
