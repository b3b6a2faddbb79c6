//! Where the exporter listens: IPv4, IPv6, names and unix sockets, and the errors when it cannot.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use crate::support::exporter::{SID, TOKEN};
use crate::support::program::{Program, command, run};
use crate::support::{PATIENCE, eventually};

/// Of an account whose Twilio does not respond.
const CREDENTIALS: [(&str, &str); 3] = [
    ("TWILIO_ACCOUNT_SID", SID),
    ("TWILIO_AUTH_TOKEN", TOKEN),
    ("TWILIO_EMAIL_BASE_URL", "http://127.0.0.1:1/v1"),
];

/// Starts an exporter that listens on `addresses`.
fn start(addresses: &[&str]) -> Program {
    let mut arguments = vec!["serve"];
    for address in addresses {
        arguments.extend(["--web.listen-address", address]);
    }
    Program::start(command(&arguments, &CREDENTIALS))
}

/// The addresses in the lines of the log, once there are this many.
async fn listening(program: &Program, count: usize) -> Vec<String> {
    let read = || -> Vec<String> {
        let log = program.stderr();
        let lines = log
            .lines()
            .filter(|line| line.contains("listening") && line.contains("address="));
        let address = |line: &str| {
            let (_, rest) = line.split_once("address=").unwrap();
            rest.split([' ', '"'])
                .find(|part| !part.is_empty())
                .unwrap()
                .to_owned()
        };
        lines.map(address).collect()
    };
    eventually("listening", || async { read().len() >= count }).await;
    read()
}

/// The status line of `GET /-/healthy`.
fn healthy(mut stream: impl Read + Write) -> String {
    stream
        .write_all(b"GET /-/healthy HTTP/1.0\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.lines().next().unwrap_or_default().to_owned()
}

fn over_tcp(address: &str) -> String {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    healthy(stream)
}

fn over_unix(path: &Path) -> String {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    healthy(stream)
}

#[tokio::test]
async fn it_listens_on_ipv4_ipv6_a_name_and_a_unix_socket_at_the_same_time() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("web.sock");
    let unix = format!("unix:{}", socket.display());
    let mut addresses = vec!["127.0.0.1:0", "localhost:0", &unix];
    if TcpListener::bind("[::1]:0").is_ok() {
        addresses.push("[::1]:0");
    }
    let program = start(&addresses);
    let found = listening(&program, addresses.len()).await;
    let (sockets, tcp): (Vec<_>, Vec<_>) = found.iter().partition(|address| **address == unix);
    assert_eq!(sockets.len(), 1, "{found:?}");
    assert!(tcp.len() >= addresses.len() - 1, "{found:?}");
    for address in tcp {
        assert_eq!(over_tcp(address), "HTTP/1.0 200 OK", "{address}");
    }
    assert_eq!(over_unix(&socket), "HTTP/1.0 200 OK");
    program.signal("TERM");
    let finished = program.wait();
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    assert!(!socket.exists(), "the file is removed");
}

#[tokio::test]
async fn the_unix_socket_of_a_killed_exporter_is_replaced_and_that_of_a_running_one_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("web.sock");
    let unix = format!("unix:{}", socket.display());
    let killed = start(&[&unix]);
    listening(&killed, 1).await;
    killed.signal("KILL");
    killed.wait();
    assert!(socket.exists());
    let running = start(&[&unix]);
    listening(&running, 1).await;
    assert_eq!(over_unix(&socket), "HTTP/1.0 200 OK");
    let second = start(&[&unix]).wait();
    assert_eq!(second.code, Some(1), "{}", second.stderr);
    for words in [
        &unix,
        "(--web.listen-address)",
        "another socket has",
        "Stop the other",
    ] {
        assert!(second.stderr.contains(words), "{words}: {}", second.stderr);
    }
    assert_eq!(over_unix(&socket), "HTTP/1.0 200 OK", "it is not disturbed");
}

#[test]
fn a_failure_to_listen_names_the_option_the_address_the_cause_and_the_cure() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let file = format!("unix:{}", file.display());
    let missing = format!("unix:{}/missing/web.sock", directory.path().display());
    let live = directory.path().join("live.sock");
    let _live = UnixListener::bind(&live).unwrap();
    let live = format!("unix:{}", live.display());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (address, cause, cure) in [
        (file.as_str(), "is no socket", "Choose another path"),
        (&missing, "no such directory", "Create the directory"),
        (
            &live,
            "another socket has this address",
            "Stop the other process",
        ),
        (
            &taken,
            "another socket has this address",
            "choose another port",
        ),
        (
            "no-such-host.invalid:1",
            "the name has no address",
            "Check the name",
        ),
        (
            "192.0.2.1:0",
            "does not have this address",
            "an address of this machine",
        ),
    ] {
        let finished = run(&["serve", "--web.listen-address", address], &CREDENTIALS);
        assert_eq!(finished.code, Some(1), "{address}: {}", finished.stderr);
        let failure = format!("cannot listen on {address} (--web.listen-address): ");
        for words in [&failure, cause, cure] {
            assert!(
                finished.stderr.contains(words),
                "{words}: {}",
                finished.stderr
            );
        }
    }
}
