//! An HTTP/1.1 server that writes single bytes, for connections that an HTTP library would never produce.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the server does with a request that it has read.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Sends the right response for the path and keeps the connection open.
    Respond,
    /// Closes the connection without a byte.
    Close,
    /// The same, by a reset.
    Reset,
    /// Sends these bytes and closes the connection.
    Send(Vec<u8>),
    /// Never responds.
    Nothing,
}

/// The server. Dropping the value stops it.
pub(crate) struct Raw {
    pub(crate) address: SocketAddr,
    acts: Arc<Mutex<(Act, Act)>>,
    requests: Arc<Mutex<Vec<(usize, String)>>>,
    server: JoinHandle<()>,
}

impl Raw {
    /// Does `first` with the first request of a connection, and `later` with those after it.
    pub(crate) async fn start(first: Act, later: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acts = Arc::new(Mutex::new((first, later)));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (shared, log) = (Arc::clone(&acts), Arc::clone(&requests));
        let server = tokio::spawn(async move {
            for connection in 1.. {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, connection, shared.clone(), log.clone()));
            }
        });
        Self {
            address,
            acts,
            requests,
            server,
        }
    }

    /// Sets what the server does from now on.
    pub(crate) fn act(&self, first: Act, later: Act) {
        *self.acts.lock().unwrap() = (first, later);
    }

    /// The requests so far: on which connection, counted from 1, and the path.
    pub(crate) fn requests(&self) -> Vec<(usize, String)> {
        self.requests.lock().unwrap().clone()
    }

    /// On which connections the requests for `path` came.
    pub(crate) fn connections(&self, path: &str) -> Vec<usize> {
        let requests = self.requests();
        let of_path = requests.iter().filter(|(_, requested)| requested == path);
        of_path.map(|(connection, _)| *connection).collect()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    acts: Arc<Mutex<(Act, Act)>>,
    log: Arc<Mutex<Vec<(usize, String)>>>,
) -> Option<()> {
    for number in 0_usize.. {
        let path = request(&mut stream).await?;
        log.lock().unwrap().push((connection, path.clone()));
        let act = {
            let acts = acts.lock().unwrap();
            if number == 0 { &acts.0 } else { &acts.1 }.clone()
        };
        match act {
            Act::Respond => stream.write_all(&response(body(&path))).await.ok()?,
            Act::Close => return None,
            Act::Reset => {
                stream.set_zero_linger().unwrap();
                return None;
            }
            Act::Send(bytes) => {
                // A client may close the connection earlier.
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                return None;
            }
            Act::Nothing => tokio::time::sleep(Duration::MAX).await,
        }
    }
    None
}

/// Reads a request with its body; returns its path.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let target = head.split(' ').nth(1).unwrap();
    Some(target.split('?').next().unwrap().to_owned())
}

/// A response with this body.
pub(crate) fn response(body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The right body for each of the three clients.
fn body(path: &str) -> &'static str {
    match path {
        "/token" => r#"{"access_token": "made-up", "expires_in": 1}"#,
        "/targets" => "[]",
        _ => r#"{"operations": [], "pagination": {"next": null}}"#,
    }
}
