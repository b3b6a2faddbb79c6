//! Commands in pages: the program accepts its arguments, its variables exist, scripts exist, and requests succeed.

use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::Overrides;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::SimulatorSettings;

use super::shell::{self, Command};
use super::{Block, blocks};
use crate::pages::pages;
use crate::support::exporter::{Exporter, one_account};
use crate::support::program::run;
use crate::support::scene::pass;
use crate::support::twilio::Twilio;

/// The program's name in pages, also that of its image.
const PROGRAM: &str = "twilio-email-exporter";
/// The start of a URL of the exporter in pages.
const EXPORTER: [&str; 2] = ["localhost:10202", "http://localhost:10202"];
/// The operation that examples register. It replaces `ID`, and variables for an id.
const EXAMPLE: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";

fn all() -> Vec<(Block, Vec<Command>)> {
    let found = blocks("sh").into_iter();
    let found: Vec<_> = found
        .map(|block| {
            let commands = shell::commands(&block.text);
            (block, commands)
        })
        .collect();
    assert!(found.len() > 20, "only {} blocks", found.len());
    found
}

/// The arguments of our program in a command; `None` if it starts another program.
fn arguments(words: &[String]) -> Option<&[String]> {
    let (first, rest) = words.split_first()?;
    match first.as_str() {
        PROGRAM => Some(rest),
        "cargo" if rest.first()? == "run" => {
            let dashes = rest.iter().position(|word| word == "--")?;
            Some(&rest[dashes + 1..])
        }
        "docker" if rest.first()? == "run" => {
            let image = rest.iter().rposition(|word| word == PROGRAM)?;
            Some(&rest[image + 1..])
        }
        _ => None,
    }
}

/// The problem with arguments: clap parses them before it prints the help.
fn problem_with(arguments: &[String]) -> Option<String> {
    let value = |word: &String| {
        let is_variable = word == "ID" || word.starts_with('$') && word.ends_with("id");
        if is_variable {
            EXAMPLE.to_owned()
        } else {
            word.clone()
        }
    };
    let arguments: Vec<_> = arguments.iter().map(value).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let finished = run(&[&arguments[..], &["--help"]].concat(), &[]);
    (finished.code != Some(0)).then(|| format!("{arguments:?}: {}", finished.stderr))
}

#[test]
fn the_program_accepts_every_command_in_a_page() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (block, commands) in all() {
        for command in &commands {
            if let Some(arguments) = arguments(&command.words) {
                count += 1;
                let problem = problem_with(arguments);
                wrong.extend(problem.map(|problem| format!("{}: {problem}", block.place())));
            }
        }
    }
    for (page, text) in pages() {
        // Every second part is inside backticks.
        let spans = text.split('`').skip(1).step_by(2);
        let start = format!("{PROGRAM} ");
        for span in spans.filter(|span| span.starts_with(&start) && !span.contains(['…', '\n'])) {
            for command in shell::commands(span) {
                if let Some(arguments) = arguments(&command.words) {
                    count += 1;
                    let problem = problem_with(arguments);
                    wrong.extend(problem.map(|problem| format!("{}: {problem}", page.display())));
                }
            }
        }
    }
    assert!(count >= 8, "only {count} commands found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn variables_in_commands_of_pages_exist() {
    let help = run(&["serve", "--help"], &[]).stdout;
    let mut wrong = Vec::new();
    let mut count = 0;
    for (block, commands) in all() {
        for Command { variables, words } in commands {
            let passed = words.windows(2).filter(|pair| pair[0] == "--env");
            let passed = passed.filter_map(|pair| pair[1].split('=').next());
            for name in variables.iter().map(String::as_str).chain(passed) {
                if !name.starts_with("TWILIO_") {
                    continue;
                }
                count += 1;
                let value = name.strip_suffix("_FILE").unwrap_or(name);
                if ![name, value].iter().any(|name| help.contains(name)) {
                    wrong.push(format!("{}: {name}", block.place()));
                }
            }
        }
    }
    assert!(count >= 6, "only {count} variables found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn scripts_and_benchmarks_in_commands_of_pages_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    let mut count = 0;
    for (block, commands) in all() {
        for Command { words, .. } in commands {
            let mut paths = Vec::new();
            let of_repository = |word: &str| {
                ["tests/", "benches/", "deploy/", "grafana/"]
                    .iter()
                    .any(|folder| word.starts_with(folder))
            };
            paths.extend(words.iter().filter(|word| of_repository(word)).cloned());
            let benches = words.windows(2).filter(|pair| pair[0] == "--bench");
            paths.extend(benches.map(|pair| format!("benches/{}.rs", pair[1])));
            for path in paths.iter().filter(|path| !path.contains('*')) {
                count += 1;
                if !root.join(path).exists() {
                    wrong.push(format!("{}: {path}", block.place()));
                }
            }
        }
    }
    assert!(count >= 15, "only {count} paths found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A request of `curl` to the exporter.
struct Request {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

/// The request to the exporter that a command makes, if it makes one.
fn request(words: &[String]) -> Option<Request> {
    if words.first()? != "curl" {
        return None;
    }
    let mut found = EXPORTER.iter().flat_map(|start| {
        let paths = words.iter().filter_map(|word| word.strip_prefix(*start));
        paths.map(str::to_owned)
    });
    let path = found.next()?;
    let option = |name: &str| {
        let pairs = words.windows(2).filter(|pair| pair[0] == name);
        pairs.map(|pair| pair[1].clone()).collect::<Vec<_>>()
    };
    let headers = option("-H");
    let headers = headers.iter().filter_map(|header| header.split_once(": "));
    let method = option("-X").pop();
    Some(Request {
        method: method.map_or(Method::GET, |name| name.parse().unwrap()),
        path,
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: option("-d").pop(),
    })
}

#[tokio::test]
async fn every_request_to_the_exporter_in_a_page_succeeds() {
    let clock = Clock::manual(EXAMPLE.parse::<OperationId>().unwrap().created());
    // The example must not have expired.
    pass(&clock, Duration::from_mins(1));
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let options = Overrides {
        enable_api: Some(true),
        enable_lifecycle: Some(true),
        ..Overrides::default()
    };
    let exporter = Exporter::start_with(&one_account(&twilio, ""), clock, options).await;
    let exporter = exporter.settled().await;
    let mut count = 0;
    for (block, commands) in all() {
        for request in commands
            .iter()
            .filter_map(|command| request(&command.words))
        {
            count += 1;
            let Request {
                method,
                path,
                headers,
                body,
            } = request;
            let url = exporter.url(&path);
            let mut request = exporter.client.request(method.clone(), url);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let response = request.body(body.unwrap_or_default()).send().await.unwrap();
            let status = response.status();
            let text = response.text().await.unwrap();
            let place = block.place();
            assert!(
                status.is_success(),
                "{place}: {method} {path}: {status}: {text}"
            );
        }
    }
    assert!(count >= 6, "only {count} requests found");
}
