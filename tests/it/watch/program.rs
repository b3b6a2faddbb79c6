//! The program: options, exit codes, signals and outputs.

use std::io::Write;
use std::process::{Command, Stdio};

use super::*;
use crate::support::exporter::{SID, TOKEN, account};
use crate::support::program::{Finished, Program, command, from_shell, run};

fn watch(twilio: &Twilio, arguments: &[&str]) -> Command {
    let variables = [
        ("TWILIO_ACCOUNT_SID", SID),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_EMAIL_BASE_URL", &twilio.base_url()),
    ];
    command(&[&["watch"], arguments].concat(), &variables)
}

fn ended(command: Command) -> Finished {
    Program::start(command).wait()
}

fn lost(twilio: &Twilio) -> OperationId {
    twilio.put(HOUR, json!({"total": 10, "delivered": 9, "failed": 1}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_exit_code_says_whether_too_many_emails_were_lost() {
    let twilio = Twilio::empty().await;
    let id = lost(&twilio).to_string();
    for (share, code) in [("10%", 0), ("9.9%", 1)] {
        let ended = ended(watch(&twilio, &[&id, "--fail-above", share]));
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        let lines = ended.stdout.lines().count();
        assert_eq!(lines, 2, "a change and the end: {}", ended.stdout);
        let message = "twilio-email-exporter: Operation comms_operation_";
        assert_eq!(
            ended.stderr.starts_with(message),
            code == 1,
            "{}",
            ended.stderr
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_lines_go_to_stdout_and_errors_to_stderr_as_well() {
    let twilio = Twilio::empty().await;
    let id = lost(&twilio).to_string();
    let ended = ended(watch(&twilio, &[&id, "--format=json", "--fail-above=0%"]));
    assert_eq!(ended.code, Some(1));
    let events: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(values(&events, "change", "operation"), [json!(id)]);
    assert_eq!(values(&events, "end", "ending"), ["lost"]);
    let why = events.last().unwrap()["error"].as_str().unwrap();
    assert!(ended.stderr.contains(why), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_come_from_arguments_with_commas_and_from_stdin() {
    let twilio = Twilio::empty().await;
    let ids = [(); 3].map(|()| lost(&twilio).to_string());
    let joined = format!("{},{}", ids[0], ids[1]);
    let mut child = watch(&twilio, &[&joined, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // One of them twice.
    let input = format!("{}\n{}\n", ids[2], ids[0]);
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("3 of 3 operations settled"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_several_accounts_has_to_be_named() {
    let (twilio, other) = (Twilio::empty().await, Twilio::empty().await);
    let id = lost(&other).to_string();
    let accounts = account("marketing", &twilio, "") + &account("receipts", &other, "");
    let files = files(&format!("accounts:\n{accounts}"));
    let config = files.config.to_str().unwrap();
    for (account, code, message) in [
        (
            None,
            2,
            "several accounts: give --account the one that sent the emails: marketing, receipts",
        ),
        (
            Some("sales"),
            2,
            "--account: the configuration has no such account; it has marketing, receipts",
        ),
        (Some("marketing"), 3, "in account marketing (404)"),
        (Some("receipts"), 0, ""),
    ] {
        let mut arguments = vec!["watch", &id, "--config.file", config];
        arguments.extend(account.iter().flat_map(|account| ["--account", account]));
        let ended = run(&arguments, &[]);
        assert_eq!(ended.code, Some(code), "{account:?}: {}", ended.stderr);
        assert!(
            ended.stderr.contains(message),
            "{account:?}: {}",
            ended.stderr
        );
    }
}

#[test]
fn wrong_usage_is_refused_with_the_cure() {
    let id = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";
    for (arguments, message) in [
        (&[][..], "<ID>"),
        (
            &["01h2xcejqtf2nbrexx3vqjhp41"],
            "an operation id starts with `comms_operation_`",
        ),
        (
            &[id, "--fail-above", "0.05"],
            "write the sign %, 0.05 is 5%",
        ),
        (&[id, "--fail-above", "500%"], "from 0% to 100%"),
        (&[id, "--interval", "100ms"], "expected 1s to 5m"),
        (&[id, "--timeout", "0"], "leave --timeout out for none"),
        (&[id, "--until", "done"], "settled, completed"),
    ] {
        let ended = run(&[&["watch"], arguments].concat(), &[]);
        assert_eq!(ended.code, Some(2), "{arguments:?}");
        assert!(
            ended.stderr.contains(message),
            "{arguments:?}: {}",
            ended.stderr
        );
    }
    let ended = run(&["watch", id], &[]);
    assert_eq!(ended.code, Some(2), "no credentials: {}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_pipe_ends_the_watch_quietly() {
    let twilio = Twilio::empty().await;
    let id = twilio
        .put_as(HOUR, "PROCESSING", json!({"total": 1, "queued": 1}))
        .to_string();
    for format in ["lines", "json"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = watch(&twilio, &[&id, "--format", format])
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.wait_with_output().unwrap();
        // As after SIGPIPE: whether the send settles is not known, so this is no success.
        assert_eq!(output.status.code(), Some(141), "{format}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{format}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_end_the_watch_with_the_exit_codes_of_shells() {
    let twilio = Twilio::empty().await;
    let id = twilio
        .put_as(HOUR, "PROCESSING", json!({"total": 1, "queued": 1}))
        .to_string();
    for (signal, code, word) in [("INT", 130, "interrupted"), ("TERM", 143, "terminated")] {
        let program = Program::start(watch(&twilio, &[&id]));
        crate::support::eventually("the first line", || async {
            program.stdout().contains("processing")
        })
        .await;
        program.signal(signal);
        let ended = program.wait();
        assert_eq!(ended.code, Some(code));
        let last = ended.stdout.lines().last().unwrap();
        assert!(last.contains(&format!("{word} after ")), "{last}");
        assert_eq!(ended.stderr, "");
    }
}

/// What a terminal of `script` gets until Ctrl-C, and the exit code.
async fn on_a_terminal(twilio: &Twilio, id: &str, before: &str) -> (String, Option<i32>) {
    let watch = from_shell(before, &watch(twilio, &[id, "--interval=1s"]), "");
    let line: Vec<String> = std::iter::once(watch.get_program())
        .chain(watch.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap().replace('\'', "'\\''")))
        .collect();
    let mut script = Command::new("script");
    script.args([
        "--quiet",
        "--return",
        "--flush",
        "--command",
        &line.join(" "),
        "/dev/null",
    ]);
    for (name, value) in watch.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    script.env("TERM", "xterm-256color").env_remove("NO_COLOR");
    let (stdin, mut keyboard) = std::io::pipe().unwrap();
    script.stdin(stdin);
    let program = Program::start(script);
    // A whole picture has no line break at its end, by which the reader gathers: the row before the last one is enough.
    crate::support::eventually("a picture", || async {
        program.stdout().contains("failed")
    })
    .await;
    keyboard.write_all(b"\x03").unwrap();
    let ended = program.wait();
    (ended.stdout, ended.code)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_leaves_the_terminal_clean() {
    let twilio = Twilio::empty().await;
    let stats = json!({"total": 9, "sent": 1, "failed": 8});
    let id = twilio.put_as(HOUR, "PROCESSING", stats).to_string();
    let (text, code) = on_a_terminal(&twilio, &id, "").await;
    assert_eq!(code, Some(130), "{text:?}");
    assert!(text.contains("\u{1b}[31m"), "losses are red: {text:?}");
    let end = text.rfind("interrupted after").expect("a summary");
    assert!(
        text.ends_with('\n'),
        "the cursor is below the picture: {text:?}"
    );
    assert!(
        text[end..].contains("\u{1b}[0m") || text[end..].contains("\u{1b}[39m"),
        "colors end: {text:?}"
    );
    for mode in ["?25l", "?1049h", "?7l"] {
        assert!(
            !text.contains(mode),
            "the cursor stays visible, the screen and wrapping as they are: {text:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_color_and_dumb_terminals_are_respected() {
    let twilio = Twilio::empty().await;
    let stats = json!({"total": 9, "sent": 1, "failed": 8});
    let id = twilio.put_as(HOUR, "PROCESSING", stats).to_string();
    let (text, _) = on_a_terminal(&twilio, &id, "export NO_COLOR=1").await;
    assert!(text.contains("█") && !text.contains("[31m"), "{text:?}");
    let dumb = watch(&twilio, &[&id, "--timeout=1s"]);
    let dumb = from_shell("export TERM=dumb", &dumb, "");
    let ended = ended(dumb);
    assert_eq!(ended.code, Some(124));
    assert!(!ended.stdout.contains('\u{1b}'), "{:?}", ended.stdout);
}
