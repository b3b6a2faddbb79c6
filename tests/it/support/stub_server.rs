//! A server with the responses of a test, for responses that the simulated Twilio never sends.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A response: status, headers and body.
pub(crate) struct StubResponse {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl StubResponse {
    /// 200 with JSON.
    pub(crate) fn json(body: impl Into<String>) -> Self {
        Self::error(200, body)
    }

    /// That status with JSON.
    pub(crate) fn error(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.into(),
        }
    }
}

/// The server. Dropping the value stops it.
pub(crate) struct StubServer {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

impl StubServer {
    /// Responds to each request with the result of `respond` for its path and query.
    pub(crate) async fn start(
        respond: impl Fn(&str) -> StubResponse + Clone + Send + Sync + 'static,
    ) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        let router = Router::new().fallback(move |uri: Uri| {
            let path = uri.to_string();
            let StubResponse {
                status,
                headers: given,
                body,
            } = respond(&path);
            log.lock().unwrap().push(path);
            async move {
                let mut headers = HeaderMap::new();
                // Without a valid time it contradicts no clock of a test.
                headers.insert("date", HeaderValue::from_static("none"));
                for (name, value) in given {
                    headers.insert(name, value.parse().unwrap());
                }
                (StatusCode::from_u16(status).unwrap(), headers, body)
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            address: listener.local_addr().unwrap(),
            requests,
            server: tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }),
        }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Paths and queries of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for StubServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}
