//! A server of lists with configurable responses.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use futures_util::stream;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The server's next response.
#[derive(Clone)]
pub(crate) enum Reply {
    /// A status, headers and a body.
    Response(u16, Vec<(&'static str, String)>, String),
    /// 200 and endless bytes.
    Endless,
    /// 200 and half of a response.
    Cut(String),
    /// Nothing.
    Hang,
}

impl Reply {
    pub(crate) fn json(body: impl Into<String>) -> Self {
        Self::typed("application/json", body)
    }

    pub(crate) fn typed(kind: &str, body: impl Into<String>) -> Self {
        Self::Response(200, vec![("content-type", kind.to_owned())], body.into())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Response(status, Vec::new(), String::new())
    }
}

/// The server; it ends with the value.
pub(crate) struct Lists {
    pub(crate) address: SocketAddr,
    reply: Arc<Mutex<Reply>>,
    requests: Arc<Mutex<Vec<(Uri, HeaderMap)>>>,
    server: JoinHandle<()>,
}

impl Lists {
    pub(crate) async fn start(reply: Reply) -> Self {
        let reply = Arc::new(Mutex::new(reply));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (next, log) = (Arc::clone(&reply), Arc::clone(&requests));
        let router = Router::new().fallback(move |request: Request| {
            let heads = (request.uri().clone(), request.headers().clone());
            log.lock().unwrap().push(heads);
            let reply = next.lock().unwrap().clone();
            response(reply)
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            address: listener.local_addr().unwrap(),
            reply,
            requests,
            server: tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sets the reply from the next request on.
    pub(crate) fn reply(&self, reply: Reply) {
        *self.reply.lock().unwrap() = reply;
    }

    /// The URIs and headers of all requests.
    pub(crate) fn requests(&self) -> Vec<(Uri, HeaderMap)> {
        self.requests.lock().unwrap().clone()
    }

    /// The header `name` of the last request.
    pub(crate) fn last(&self, name: &str) -> Option<String> {
        let requests = self.requests.lock().unwrap();
        let (_, headers) = requests.last()?;
        headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    }
}

impl Drop for Lists {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn response(reply: Reply) -> Response {
    let json = Response::builder().header("content-type", "application/json");
    match reply {
        Reply::Response(status, headers, body) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::from(body)).unwrap()
        }
        Reply::Endless => {
            let blank = Bytes::from(vec![b' '; 64 * 1024]);
            let endless = stream::repeat_with(move || Ok::<_, Infallible>(blank.clone()));
            json.body(Body::from_stream(endless)).unwrap()
        }
        Reply::Cut(half) => {
            let parts = [Ok(Bytes::from(half)), Err(io::Error::other("cut"))];
            json.body(Body::from_stream(stream::iter(parts))).unwrap()
        }
        Reply::Hang => std::future::pending().await,
    }
}
