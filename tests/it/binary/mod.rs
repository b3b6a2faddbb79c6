//! The program: its output, exit codes and signals.

mod output;
mod running;
mod usage;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::exporter::{SID, TOKEN, files, one_account};
use crate::support::exposition::Exposition;
use crate::support::program::{Program, run};
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);
const LOOPBACK: &str = "127.0.0.1:0";
const COMMANDS: [&str; 5] = ["serve", "demo", "simulate", "once", "watch"];

/// GET over a connection of its own; status, head and body.
fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    send_request(&mut stream, address, path);
    response(stream)
}

fn send_request(stream: &mut TcpStream, address: SocketAddr, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
}

/// The status and the body, whether the length is in a header or the body is chunked.
fn response(stream: TcpStream) -> (u16, String) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "cut off: {head}");
    }
    let mut body = String::new();
    reader.read_to_string(&mut body).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body)
}

fn credentials(base_url: &str) -> [(&str, &str); 3] {
    [
        ("TWILIO_ACCOUNT_SID", SID),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_EMAIL_BASE_URL", base_url),
    ]
}
