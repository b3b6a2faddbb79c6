//! The API, seen by a client: requests to the router, with a clock that the test sets.

mod emails;
mod faults;
mod lists;
mod operations;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::operation::{CountingMode, OperationId};

const START: i64 = 1_775_370_000_000;
/// `account:token`
const BASIC: &str = "Basic YWNjb3VudDp0b2tlbg==";

struct Api {
    simulator: Simulator,
    clock: Arc<AtomicI64>,
}

impl Api {
    fn new(settings: SimulatorSettings) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let time = Arc::clone(&clock);
        let now = move || Timestamp::from_millis(time.load(Ordering::Relaxed));
        Self {
            simulator: Simulator::new(settings, now),
            clock,
        }
    }

    fn wait(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap();
        self.clock.fetch_add(millis, Ordering::Relaxed);
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, HeaderMap, Vec<u8>) {
        let response = self.simulator.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await;
        let body = body.map(|body| body.to_vec()).unwrap_or_default();
        (parts.status, parts.headers, body)
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).header("authorization", BASIC);
        let (status, _, body) = self.send(request.body(Body::empty()).unwrap()).await;
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn post(&self, body: &Value) -> (StatusCode, Value) {
        let request = Request::post("/v1/Emails").header("authorization", BASIC);
        let request = request.body(Body::from(body.to_string())).unwrap();
        let (status, _, body) = self.send(request).await;
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// All pages of a list. It calls `between` before each page after the first.
    async fn pages(&self, path: &str, key: &str, between: impl Fn()) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut token = String::new();
        for _ in 0..1000 {
            let (status, mut page) = self.get(&format!("{path}&pageToken={token}")).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            rows.append(page[key].as_array_mut().unwrap());
            match page["pagination"]["next"].as_str() {
                Some(next) => next.clone_into(&mut token),
                None => return rows,
            }
            between();
        }
        panic!("the list does not end");
    }
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

fn bulk(operations: u32) -> WorldSettings {
    WorldSettings {
        operations,
        active: operations / 20,
        ..WorldSettings::empty()
    }
}

/// The account `world` with the default API.
fn usual(world: WorldSettings) -> SimulatorSettings {
    SimulatorSettings {
        world,
        api: ApiSettings::default(),
    }
}

const LIST: &str = "/v1/Emails/Operations";
