//! A URL that lists operations. Requests and responses follow Prometheus' `http_sd`.
//!
//! A request does not depend on earlier ones; only connections are reused. A response is used completely or not at all.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue,
};
use tokio::task::spawn_blocking;

use super::ListedOperations;
use super::error::SourceError;
use super::listing::{self, Format, LARGEST};
use super::tls;
use super::url_files::UrlFiles;
use crate::config::OperationUrl;
use crate::http::{self, BodyError, NoResponse, Request, Response};

/// The header with the interval between requests, as in Prometheus.
const REFRESH_INTERVAL: HeaderName =
    HeaderName::from_static("x-prometheus-refresh-interval-seconds");

/// The client of one URL.
#[derive(Debug)]
pub struct Url {
    settings: Arc<OperationUrl>,
    files: UrlFiles,
}

impl Url {
    /// A source of `account`. Makes no request.
    #[must_use]
    pub fn new(account: &Arc<str>, settings: OperationUrl) -> Self {
        let settings = Arc::new(settings);
        Self {
            files: UrlFiles::new(account, &settings),
            settings,
        }
    }

    /// Makes one request.
    pub async fn fetch(&self) -> Result<ListedOperations, SourceError> {
        let body = self.body().await?;
        classify(body).await.1
    }

    pub(super) fn settings(&self) -> &OperationUrl {
        &self.settings
    }

    /// The body of a valid response. Reading files has a time limit of its own: while a disk hangs, requests continue.
    pub(super) async fn body(&self) -> Result<Vec<u8>, SourceError> {
        let (authorization, client) = self.files.refreshed().await?;
        let limit = self.settings.timeout;
        tokio::time::timeout(limit, self.exchange(authorization, &client))
            .await
            .unwrap_or(Err(SourceError::Timeout(limit)))
    }

    async fn exchange(
        &self,
        authorization: Option<HeaderValue>,
        client: &http::HttpClient,
    ) -> Result<Vec<u8>, SourceError> {
        let (url, host) = self.target();
        let text = |text: String| {
            HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
        };
        let interval = self.settings.refresh_interval.as_secs_f64();
        let mut request = Request::get(&url)
            .map_err(|failure| self.explain(failure))?
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(REFRESH_INTERVAL, text(interval.to_string()));
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(host) = host {
            request = request.header(HOST, text(host));
        }
        let again = request.clone();
        match self.once(client, request).await {
            // The server closed a connection that was idle before; the repeated request opens a new one.
            Err(FetchFailure::Stale(_)) => self.once(client, again).await,
            outcome => outcome,
        }
        .map_err(FetchFailure::into_inner)
    }

    /// Makes one request and reads its response.
    async fn once(
        &self,
        client: &http::HttpClient,
        request: Request,
    ) -> Result<Vec<u8>, FetchFailure> {
        let guard = client.guard();
        let outcome = match guard.send(request).await {
            Ok(response) => self.read(response).await.map_err(FetchFailure::Other),
            Err(none) => {
                let error = self.explain(none.failure);
                Err(if none.on_stale_connection {
                    FetchFailure::Stale(error)
                } else {
                    FetchFailure::Other(error)
                })
            }
        };
        guard.end();
        outcome
    }

    /// The URL to request, and the value of `Host` if it differs.
    fn target(&self) -> (url::Url, Option<String>) {
        let given = &self.settings.url.0;
        let mut url = given.clone();
        let name = self.settings.tls.server_name.as_deref();
        if !tls::renames(&self.settings) || url.set_host(name).is_err() {
            return (url, None);
        }
        let host = given.host_str().unwrap_or_default();
        let host = match given.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        (url, Some(host))
    }

    async fn read(&self, response: Response) -> Result<Vec<u8>, SourceError> {
        if response.status() != StatusCode::OK {
            return Err(SourceError::Status(response.status().as_u16()));
        }
        if !is_json(response.headers()) {
            return Err(SourceError::ContentType);
        }
        let body = http::read(response, LARGEST).await;
        body.map_err(|error| match error {
            BodyError::TooLarge(limit) => SourceError::TooLarge { limit },
            BodyError::Encoding(name) => SourceError::Encoding(name),
            BodyError::Gzip => SourceError::Gzip,
            BodyError::TooManyPieces => {
                SourceError::Protocol("the response has too many pieces".to_owned())
            }
            BodyError::CutOff => SourceError::Connect("the response was cut off".to_owned()),
            BodyError::Timeout => SourceError::Timeout(self.settings.timeout),
        })
    }

    fn explain(&self, failure: NoResponse) -> SourceError {
        match failure {
            NoResponse::Timeout => SourceError::Timeout(self.settings.timeout),
            NoResponse::Tls(words) => SourceError::Tls(words),
            NoResponse::Connect(words) => SourceError::Connect(words),
            NoResponse::Protocol(words) => SourceError::Protocol(words),
        }
    }
}

/// Why one request failed.
enum FetchFailure {
    /// The connection was idle before, and the server closed it without a response.
    Stale(SourceError),
    Other(SourceError),
}

impl FetchFailure {
    fn into_inner(self) -> SourceError {
        match self {
            Self::Stale(error) | Self::Other(error) => error,
        }
    }
}

/// Parses `body` off the async workers, and returns it with its list.
pub(super) async fn classify(body: Vec<u8>) -> (Vec<u8>, Result<ListedOperations, SourceError>) {
    let judged = blocking(move || {
        let listed = listing::parse(&body, Format::ForeignJson);
        (body, listed)
    });
    judged
        .await
        .unwrap_or_else(|error| (Vec::new(), Err(error)))
}

/// Runs `work` on a blocking thread. It fails only if `work` panics, or with the whole process.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SourceError> {
    let done = spawn_blocking(work).await;
    // The message of a panic may quote the content.
    done.map_err(|_| SourceError::Unreadable("processing the response was aborted".to_owned()))
}

/// Whether the content type is JSON, in UTF-8 if it has a charset, as Prometheus requires.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let value = value.unwrap_or_default().to_ascii_lowercase();
    let (kind, charset) = value.split_once(';').unwrap_or((&value, "charset=utf-8"));
    kind.trim() == "application/json"
        && matches!(charset.trim(), "charset=utf-8" | "charset=\"utf-8\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_in_utf_8_is_accepted() {
        let is_json = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, value.parse().unwrap());
            is_json(&headers)
        };
        for value in [
            "application/json",
            " Application/JSON ",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
        ] {
            assert!(is_json(value), "{value}");
        }
        for value in [
            "",
            "text/html",
            "text/json",
            "application/json; charset=latin1",
            "application/json; version=1",
            "application/jsonp",
        ] {
            assert!(!is_json(value), "{value}");
        }
        assert!(!super::is_json(&HeaderMap::new()));
    }
}
