//! The checks before all paths that protect against attacks by browsers: requests of other sites, names that are not
//! the exporter's (DNS rebinding), and pages that embed the exporter's. `docs/security.md` says what each prevents.

mod body_type;
mod cross_site;
mod destination;
mod headers;
mod known_host;
mod refusal;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state, map_response};

pub(super) use self::body_type::{is_json, require_json};
use crate::config::Host;

/// `router` behind all checks. Refusals have the security headers, too. `hosts` are those that the exporter is known by; empty: all.
pub(super) fn guarded(router: Router, hosts: &[Host]) -> Router {
    let hosts: Arc<[Host]> = hosts.into();
    router
        .layer(from_fn(cross_site::refuse))
        .layer(from_fn_with_state(hosts, known_host::require))
        .layer(map_response(headers::add))
}
