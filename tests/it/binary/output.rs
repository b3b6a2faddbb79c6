//! Standard output and standard error that are full or closed: the exit code does not change, and nothing panics.

use std::fs::OpenOptions;
use std::process::{Child, Command, Stdio};

use super::*;
use crate::support::PATIENCE;
use crate::support::program::{command, from_shell};

/// The state of a standard output.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Output {
    /// A reader reads it.
    Read,
    /// Every write fails with `ENOSPC`.
    Full,
    /// A pipe whose reader is gone: every write fails with `EPIPE`.
    Broken,
    /// The program starts without it.
    Closed,
}

use Output::{Broken, Closed, Full, Read};

/// Each way in which the two can fail: stdout, stderr.
const FAILING: [(Output, Output); 9] = [
    (Read, Full),
    (Full, Read),
    (Full, Full),
    (Read, Broken),
    (Broken, Read),
    (Broken, Broken),
    (Read, Closed),
    (Closed, Read),
    (Closed, Closed),
];

impl Output {
    fn stdio(self) -> Stdio {
        match self {
            Read | Closed => Stdio::piped(),
            Full => OpenOptions::new()
                .write(true)
                .open("/dev/full")
                .unwrap()
                .into(),
            Broken => {
                let (reader, writer) = std::io::pipe().unwrap();
                drop(reader);
                writer.into()
            }
        }
    }
}

/// The exporter with these outputs; a shell closes those that are to be closed.
fn start(
    (stdout, stderr): (Output, Output),
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Child {
    let exporter = command(arguments, variables);
    let close = |output, redirection| if output == Closed { redirection } else { "" };
    let redirections = [close(stdout, ">&-"), close(stderr, "2>&-")].join(" ");
    let mut shell = from_shell("", &exporter, &redirections);
    shell.stdout(stdout.stdio()).stderr(stderr.stdio());
    shell.spawn().unwrap()
}

/// Its exit code, and what it wrote to outputs that are read.
fn wait(mut child: Child) -> (Option<i32>, String, String) {
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("still running after {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn invalid_usage_exits_with_2_and_help_with_0() {
    let wrong_variable = [("TWILIO_ACCOUNT_SID", "nonsense")];
    let usage = COMMANDS.map(|command| vec![command, "--no-such-option"]);
    let help = COMMANDS.map(|command| vec![command, "--help"]);
    let missing = ["serve", "once"].map(|command| vec![command, "--config.file", "/no/such/file"]);
    let wrong = ["serve", "once"].map(|command| vec![command]);
    let mut cases = vec![(vec!["--version"], 0), (vec!["--help"], 0)];
    cases.extend(
        usage
            .into_iter()
            .chain(missing)
            .chain(wrong)
            .map(|arguments| (arguments, 2)),
    );
    cases.extend(help.into_iter().map(|arguments| (arguments, 0)));
    for outputs in FAILING {
        for (arguments, wanted) in &cases {
            let (code, stdout, stderr) = wait(start(outputs, arguments, &wrong_variable));
            assert_eq!(code, Some(*wanted), "{arguments:?} with {outputs:?}");
            assert!(!stderr.contains("panicked"), "{outputs:?}: {stderr}");
            let output = if *wanted == 0 { outputs.0 } else { outputs.1 };
            assert_eq!(
                output == Read,
                !(stdout + &stderr).is_empty(),
                "{arguments:?} with {outputs:?} prints its message"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_exits_with_0_only_if_twilio_is_read_and_the_exposition_is_written() {
    let twilio = Twilio::empty().await;
    let base_url = twilio.base_url();
    for outputs in FAILING {
        for (fault, healthy) in [("", true), ("401", false)] {
            twilio.handle.clear_faults();
            if !healthy {
                twilio.fault(fault);
            }
            let arguments = ["once", "--log.level=trace"];
            let child = start(outputs, &arguments, &credentials(&base_url));
            let (code, stdout, stderr) = wait(child);
            // A descriptor that is closed from the start is `/dev/null` for a program in Rust.
            let printed = matches!(outputs.0, Read | Closed);
            let wanted = i32::from(!(healthy && printed));
            assert_eq!(code, Some(wanted), "{outputs:?} {fault}: {stderr}");
            assert!(!stderr.contains("panicked"), "{outputs:?}: {stderr}");
            if outputs.0 == Read {
                Exposition::parse(&stdout).unwrap();
            }
        }
    }
}

/// A port that is free now; the log cannot say which one the program got.
fn free_port() -> SocketAddr {
    let listener = TcpListener::bind(LOOPBACK).unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_with_full_or_closed_outputs_serve_and_exit_with_0() {
    let twilio = Twilio::empty().await;
    let base_url = twilio.base_url();
    for outputs in FAILING {
        for (command, option, path) in [
            ("serve", "--web.listen-address", "/metrics"),
            ("demo", "--web.listen-address", "/metrics"),
            (
                "simulate",
                "--simulator.listen-address",
                "/v1/Emails/Operations",
            ),
        ] {
            let address = free_port();
            let listen = address.to_string();
            for format in ["json", "logfmt"] {
                let arguments = [
                    command,
                    option,
                    &listen,
                    "--log.level=trace",
                    "--log.format",
                    format,
                ];
                let child = start(outputs, &arguments, &credentials(&base_url));
                crate::support::eventually("it listens", || async {
                    TcpStream::connect(address).is_ok()
                })
                .await;
                let (status, body) = get(address, path);
                let wanted = if command == "simulate" { 401 } else { 200 };
                assert_eq!(status, wanted, "{command} with {outputs:?}: {body}");
                let id = child.id().to_string();
                let signal = Command::new("kill").args(["-s", "TERM", &id]).status();
                assert!(signal.unwrap().success());
                let (code, _, stderr) = wait(child);
                assert_eq!(code, Some(0), "{command} with {outputs:?}: {stderr}");
                assert!(!stderr.contains("panicked"), "{outputs:?}: {stderr}");
            }
        }
    }
}
