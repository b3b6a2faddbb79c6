//! What systemd passes to the exporter, and its notifications: sockets, readiness, reloads, the watchdog.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::Stdio;

use crate::support::PATIENCE;
use crate::support::exporter::{Files, SID, TOKEN, files};
use crate::support::program::{Finished, Program, command, from_shell, run};

const CREDENTIALS: [(&str, &str); 3] = [
    ("TWILIO_ACCOUNT_SID", SID),
    ("TWILIO_AUTH_TOKEN", TOKEN),
    ("TWILIO_EMAIL_BASE_URL", "http://127.0.0.1:1/v1"),
];

/// Starts the exporter as systemd does, with `socket` as its descriptor 3.
fn activated(socket: OwnedFd) -> Program {
    let exporter = command(&["serve", "--web.systemd-socket"], &CREDENTIALS);
    let before = "exec 3<&0 </dev/null\nexport LISTEN_PID=$$ LISTEN_FDS=1";
    let mut shell = from_shell(before, &exporter, "");
    shell.stdin(Stdio::from(socket));
    Program::start(shell)
}

fn healthy(mut stream: impl Read + Write) -> String {
    stream
        .write_all(b"GET /-/healthy HTTP/1.0\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn it_serves_on_a_socket_of_systemd() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    // It waits until the exporter has started.
    let client = TcpStream::connect(address).unwrap();
    let mut program = activated(socket.into());
    assert_eq!(program.address(), address);
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(healthy(client), "HTTP/1.0 200 OK");
    program.signal("TERM");
    assert_eq!(program.wait().code, Some(0));
}

#[test]
fn it_serves_on_a_unix_socket_of_systemd_and_leaves_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("web.sock");
    let socket = UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut program = activated(socket.into());
    assert_eq!(healthy(client), "HTTP/1.0 200 OK");
    program.line(&["listening", &format!("unix:{}", path.display())]);
    program.signal("TERM");
    assert_eq!(program.wait().code, Some(0));
    assert!(path.exists(), "it belongs to systemd");
}

fn refused(finished: &Finished, code: i32, words: &[&str]) {
    assert_eq!(finished.code, Some(code), "{}", finished.stderr);
    for words in words {
        assert!(
            finished.stderr.contains(words),
            "{words}: {}",
            finished.stderr
        );
    }
}

#[test]
fn missing_or_unsupported_systemd_sockets_are_reported_with_cause_and_cure() {
    let finished = run(&["serve", "--web.systemd-socket"], &CREDENTIALS);
    let words = [
        "--web.systemd-socket",
        "systemd passed no socket",
        "socket unit",
    ];
    refused(&finished, 1, &words);
    let both = ["serve", "--web.systemd-socket", "--web.listen-address=:0"];
    let words = ["--web.systemd-socket", "leave out one of the two"];
    refused(&run(&both, &CREDENTIALS), 2, &words);
    let datagram = UnixDatagram::unbound().unwrap();
    let words = ["--web.systemd-socket", "descriptor 3", "ListenStream="];
    refused(&activated(datagram.into()).wait(), 1, &words);
}

/// A socket as systemd's, which receives notifications.
struct Notifications {
    socket: UnixDatagram,
    path: String,
    _directory: tempfile::TempDir,
}

impl Notifications {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            socket,
            path: path.to_str().unwrap().to_owned(),
            _directory: directory,
        }
    }

    fn next(&self) -> String {
        let mut buffer = [0; 1024];
        let length = self.socket.recv(&mut buffer).expect("a notification");
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    /// The next one that is not of the watchdog.
    fn next_state(&self) -> String {
        loop {
            let next = self.next();
            if next != "WATCHDOG=1\n" {
                return next;
            }
        }
    }
}

fn configuration() -> Files {
    let account = format!("name: a\n  account_sid: {SID}\n  auth_token_file: token\n");
    files(&format!(
        "accounts:\n- {account}  base_url: http://127.0.0.1:1/v1\n"
    ))
}

#[test]
fn systemd_is_notified_when_it_listens_reloads_and_stops() {
    let notifications = Notifications::new();
    let files = configuration();
    let config = files.config.to_str().unwrap();
    let variables = [("NOTIFY_SOCKET", notifications.path.as_str())];
    let mut program = Program::exporter(&["serve", "--config.file", config], &variables);
    assert_eq!(notifications.next(), "READY=1\n");
    let address = program.address();
    assert!(TcpStream::connect(address).is_ok());
    // A reload that works, and one that does not: it is ready after both.
    for broken in [false, true] {
        if broken {
            files.write("config.yml", "accounts: nonsense\n");
        }
        program.signal("HUP");
        let reloading = notifications.next();
        let time = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
        let time = time.unwrap_or_else(|| panic!("{reloading}")).trim_end();
        assert!(time.parse::<u64>().unwrap() > 0);
        assert_eq!(notifications.next(), "READY=1\n");
    }
    program.signal("TERM");
    assert_eq!(notifications.next(), "STOPPING=1\n");
    assert_eq!(program.wait().code, Some(0));
}

#[test]
fn the_watchdog_is_notified_as_long_as_the_exporter_runs() {
    let notifications = Notifications::new();
    let mut variables = CREDENTIALS.to_vec();
    variables.push(("NOTIFY_SOCKET", &notifications.path));
    variables.push(("WATCHDOG_USEC", "200000"));
    let program = Program::exporter(&["serve"], &variables);
    assert_eq!(notifications.next_state(), "READY=1\n");
    for _ in 0..5 {
        assert_eq!(notifications.next(), "WATCHDOG=1\n");
    }
    program.signal("TERM");
    assert_eq!(notifications.next_state(), "STOPPING=1\n");
    assert_eq!(program.wait().code, Some(0));
}

#[test]
fn the_watchdog_is_not_notified_unless_systemd_requests_it() {
    let notifications = Notifications::new();
    let mut variables = CREDENTIALS.to_vec();
    variables.push(("NOTIFY_SOCKET", &notifications.path));
    // Of another process.
    variables.push(("WATCHDOG_USEC", "1000"));
    variables.push(("WATCHDOG_PID", "1"));
    let mut program = Program::exporter(&["serve"], &variables);
    assert_eq!(notifications.next(), "READY=1\n");
    program.address();
    program.signal("TERM");
    assert_eq!(notifications.next(), "STOPPING=1\n");
    assert_eq!(program.wait().code, Some(0));
}
