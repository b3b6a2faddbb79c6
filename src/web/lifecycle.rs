//! `POST /-/reload`: reloads the configuration and the web configuration, if `--web.enable-lifecycle` allows it. Without the option
//! it responds with 403 and names the option.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::service::Service;
use crate::config::Problem;
use crate::reload::ReloadError;

/// 200 with notices if the new configurations are active; 500 with all problems if a current one stays.
pub(super) async fn reload(State(service): State<Arc<Service>>) -> (StatusCode, String) {
    let web_config = service
        .access_control
        .as_ref()
        .map(|control| control.config());
    if service.reload.is_none() && web_config.is_none() {
        return (
            StatusCode::NOT_FOUND,
            "There is no configuration file to reload.\n".to_owned(),
        );
    }
    let (mut status, mut text) = (StatusCode::OK, String::new());
    if let Some(reload) = &service.reload {
        status = status.max(report("configuration", reload.reload().await, &mut text));
    }
    if let Some(web_config) = web_config {
        status = status.max(report(
            "web configuration",
            web_config.reload().await,
            &mut text,
        ));
    }
    (status, text)
}

/// Appends the result of the reload of `what` to `text`.
fn report(what: &str, result: Result<Vec<Problem>, ReloadError>, text: &mut String) -> StatusCode {
    // Writing to a string does not fail.
    match result {
        Ok(notices) => {
            let _ = writeln!(text, "The {what} was reloaded.");
            for notice in notices {
                let _ = writeln!(text, "{notice}");
            }
            StatusCode::OK
        }
        Err(error) => {
            let _ = writeln!(text, "The {what} was not reloaded: {error}");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

/// Without the option: 403, with the option's name.
pub(super) async fn reload_is_off() -> (StatusCode, &'static str) {
    (
        StatusCode::FORBIDDEN,
        "Reloading over HTTP is off; start the exporter with --web.enable-lifecycle, or send it SIGHUP.\n",
    )
}
