//! Serves a request: records it, applies faults, checks the credentials, and responds. Faults come before the credentials, as a
//! gateway in front of Twilio would respond.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use parking_lot::{Mutex, MutexGuard};
use serde_json::json;

use crate::timestamp::Timestamp;

use super::access::Access;
use super::api_request::ApiRequest;
use super::connection::Connection;
use super::encoding;
use super::fault::{Effect, Fault, RetryAfterHeader, choose};
use super::journal::{Journal, SentPage};
use super::list::Lists;
use super::response::{OperationBody, bad_parameter, error};
use super::send::{LARGEST_BODY, send};
use super::settings::{ApiSettings, SimulatorSettings};
use super::spoil::spoil;
use super::token::{LARGEST_FORM, token};
use super::world::World;

/// The size of an oversized body: far above any client's limit.
const OVERSIZED: usize = 64 << 20;
/// The end of the year 9999 since 1970: an HTTP date has four digits for the year.
const LATEST_HTTP_DATE: Duration = Duration::from_secs(253_402_300_799);
const CHUNK: usize = 16 << 10;
/// The wait before a cut connection is closed, so that the first half of the body reaches the client.
const BEFORE_CUT: Duration = Duration::from_millis(20);

/// The state that requests and handles share.
pub(super) struct SimulatorState {
    pub(super) settings: ApiSettings,
    pub(super) clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    pub(super) world: World,
    pub(super) journal: Journal,
    faults: Mutex<Vec<Fault>>,
    access: Mutex<Access>,
}

impl SimulatorState {
    pub(super) fn new(
        settings: SimulatorSettings,
        clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    ) -> Self {
        let SimulatorSettings { world, api } = settings;
        Self {
            world: World::new(&world, clock()),
            clock,
            journal: Journal::default(),
            faults: Mutex::new(api.faults.clone()),
            access: Mutex::new(Access::of(&api)),
            settings: api,
        }
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.faults.lock()
    }

    pub(super) fn access(&self) -> MutexGuard<'_, Access> {
        self.access.lock()
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn error(&self, status: u16) -> Response {
        error(&self.settings.dialect, status)
    }
}

/// Serves one request.
pub(super) async fn serve(State(shared): State<Arc<SimulatorState>>, request: Request) -> Response {
    let connection = request.extensions().get::<ConnectInfo<Connection>>();
    let connection = connection.map_or_else(Connection::default, |info| info.0.clone());
    let (parts, body) = request.into_parts();
    let kind = ApiRequest::of(&parts.method, &parts.uri, &shared.settings.prefix);
    let running = shared.journal.begin(&kind, &parts, shared.now());
    let (delay, effect) = choose(&mut shared.faults(), &kind);
    let delay = delay + shared.settings.latency;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let records = matches!(kind, ApiRequest::Emails(_)) && shared.journal.records_pages();
    let mut response = match effect {
        Some(Effect::Hang) => std::future::pending().await,
        Some(Effect::Deaf) if connection.has_responded() => std::future::pending().await,
        Some(Effect::Close(bytes)) => {
            connection.close_after(bytes);
            respond(&shared, &parts, kind, body, None).await
        }
        Some(Effect::EarlyHints) => {
            connection.send_early_hints();
            respond(&shared, &parts, kind, body, None).await
        }
        Some(Effect::NoBody) => no_body(respond(&shared, &parts, kind, body, None).await).await,
        Some(Effect::Status { code, retry_after }) => refuse(&shared, code, retry_after),
        Some(Effect::Oversized) => oversized(),
        Some(Effect::Html(status)) => html(status),
        Some(Effect::WrongJson) => wrong_json(&kind),
        Some(Effect::GzipBomb) => encoding::gzip_bomb(),
        Some(Effect::Gzip) => {
            encoding::gzip(respond(&shared, &parts, kind, body, None).await).await
        }
        Some(Effect::GzipCut) => {
            encoding::gzip_cut(respond(&shared, &parts, kind, body, None).await).await
        }
        Some(Effect::Encoding(name)) => {
            encoding::mislabeled(&name, respond(&shared, &parts, kind, body, None).await)
        }
        Some(Effect::Cut) => cut(respond(&shared, &parts, kind, body, None).await).await,
        Some(Effect::Invalid(value)) => {
            let usual = respond(&shared, &parts, kind, body, None).await;
            recorded(&shared, records, &parts, spoil(usual, value).await).await
        }
        other => {
            let usual = respond(&shared, &parts, kind, body, other).await;
            recorded(&shared, records, &parts, usual).await
        }
    };
    connection.note_response();
    tracing::debug!(
        method = %parts.method,
        path = parts.uri.path(),
        status = response.status().as_u16(),
        "responded",
    );
    let at_once = HeaderValue::from(running.at_once);
    let headers = response.headers_mut();
    headers.insert("Twilio-Concurrent-Requests", at_once);
    // By the simulator's clock, so that all its times agree.
    if let Some(date) = http_date(shared.now()) {
        headers.insert(DATE, date);
    }
    response
}

/// The same response, after it was recorded if a test wants that.
async fn recorded(
    shared: &SimulatorState,
    records: bool,
    request: &Parts,
    response: Response,
) -> Response {
    if !records || !response.status().is_success() {
        return response;
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let path = request.uri.path_and_query();
    shared.journal.add_page(SentPage {
        path: path.map(ToString::to_string).unwrap_or_default(),
        at: shared.now(),
        body: body.clone(),
    });
    Response::from_parts(parts, Body::from(body))
}

/// The usual response, or one with an `effect` on a list.
async fn respond(
    shared: &SimulatorState,
    request: &Parts,
    kind: ApiRequest,
    body: Body,
    effect: Option<Effect>,
) -> Response {
    let now = shared.now();
    // A request for a token has no token yet.
    if !matches!(kind, ApiRequest::Token) && !shared.access().accepts(&request.headers, now) {
        return shared.error(401);
    }
    let lists = Lists {
        world: &shared.world,
        settings: &shared.settings,
        now,
        effect,
    };
    let kind = match (kind, &lists.effect) {
        (ApiRequest::Operations(query), Some(Effect::Ignore(parameter))) => {
            ApiRequest::Operations(query.without(*parameter))
        }
        (ApiRequest::Emails(query), Some(Effect::Ignore(parameter))) => {
            ApiRequest::Emails(query.without(*parameter))
        }
        (ApiRequest::Operations(query), Some(Effect::WrongStatus(wrong))) => {
            ApiRequest::Operations(query.with_wrong_status(*wrong))
        }
        (ApiRequest::Emails(query), Some(Effect::WrongStatus(wrong))) => {
            ApiRequest::Emails(query.with_wrong_status(*wrong))
        }
        (kind, _) => kind,
    };
    match kind.with_most_rows(shared.settings.most_rows) {
        ApiRequest::Operation(id) => match shared.world.find(&id, now) {
            Some(item) => {
                let millis = now.as_millis();
                let found = OperationBody::of(item, &shared.world, &shared.settings, millis);
                Json(found).into_response()
            }
            None => shared.error(404),
        },
        ApiRequest::Operations(query) => lists.operations(&query),
        ApiRequest::Emails(query) => lists.emails(&query),
        ApiRequest::Send => {
            let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
                return shared.error(413);
            };
            let host = request
                .headers
                .get(HOST)
                .and_then(|host| host.to_str().ok());
            let host = host.unwrap_or("localhost");
            let base = format!("http://{host}{}", shared.settings.prefix);
            send(&shared.world, &body, &base, now).unwrap_or_else(|| shared.error(400))
        }
        ApiRequest::Token => {
            let body = to_bytes(body, LARGEST_FORM).await.unwrap_or_default();
            let dialect = &shared.settings.dialect;
            token(&mut shared.access(), dialect, &request.headers, &body, now)
        }
        ApiRequest::Invalid(name) => bad_parameter(&shared.settings.dialect, name),
        ApiRequest::Unknown => shared.error(404),
    }
}

fn refuse(shared: &SimulatorState, code: u16, retry_after: Option<RetryAfterHeader>) -> Response {
    let mut response = shared.error(code);
    let value = retry_after.and_then(|after| match after {
        RetryAfterHeader::Seconds(seconds) => HeaderValue::from_str(&seconds).ok(),
        RetryAfterHeader::Date(seconds) => {
            http_date(shared.now() + Duration::from_secs(seconds.into()))
        }
    });
    if let Some(value) = value {
        response.headers_mut().insert(RETRY_AFTER, value);
    }
    response
}

fn http_date(moment: Timestamp) -> Option<HeaderValue> {
    let since_1970 = moment
        .since(Timestamp::from_millis(0))
        .min(LATEST_HTTP_DATE);
    let date = SystemTime::UNIX_EPOCH.checked_add(since_1970)?;
    HeaderValue::from_str(&httpdate::fmt_http_date(date)).ok()
}

fn oversized() -> Response {
    let blanks = Bytes::from_static(&[b' '; CHUNK]);
    let filling = stream::repeat(blanks).take(OVERSIZED / CHUNK);
    let body = stream::once(async { Bytes::from_static(b"{\"operations\": [") }).chain(filling);
    let body = Body::from_stream(body.map(Ok::<_, io::Error>));
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

fn html(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let page = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body>Please try again later.</body></html>\n";
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

fn wrong_json(kind: &ApiRequest) -> Response {
    let body = if kind.is_list() {
        json!({"operations": {"id": 7}, "emails": "none", "pagination": []})
    } else {
        json!({"id": 7, "status": ["COMPLETED"], "stats": "many", "operationId": null})
    };
    Json(body).into_response()
}

/// The headers of the whole body, without the body.
async fn no_body(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts
        .headers
        .insert(CONTENT_LENGTH, HeaderValue::from(whole.len().max(1)));
    let nothing = stream::pending::<io::Result<Bytes>>();
    Response::from_parts(parts, Body::from_stream(nothing))
}

/// The headers of the whole body and half of the body; then the connection is closed.
async fn cut(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts
        .headers
        .insert(CONTENT_LENGTH, HeaderValue::from(whole.len().max(1)));
    let half = whole.slice(..whole.len() / 2);
    let broken = stream::once(async {
        tokio::time::sleep(BEFORE_CUT).await;
        Err(io::Error::other("cut on demand"))
    });
    let body = stream::once(async { Ok(half) }).chain(broken);
    Response::from_parts(parts, Body::from_stream(body))
}
