//! A server that answers as a test says, for what the simulated Twilio would never say.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One answer: a status, headers and a body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Answer {
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

/// The server; it ends with the value.
pub(crate) struct Answers {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

impl Answers {
    /// Answers each request with what `answer` says to its path and query.
    pub(crate) async fn start(
        answer: impl Fn(&str) -> Answer + Clone + Send + Sync + 'static,
    ) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let router = Router::new().fallback(move |uri: Uri| {
            let path = uri.to_string();
            let Answer {
                status,
                headers: given,
                body,
            } = answer(&path);
            log.lock().unwrap().push(path);
            async move {
                let mut headers = HeaderMap::new();
                // Without a time of its own it contradicts no clock of a test.
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
            asked,
            server: tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }),
        }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Paths and queries of all requests so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.server.abort();
    }
}
