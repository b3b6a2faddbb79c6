//! `POST /-/reload`: a new configuration.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::service::Service;

/// 200 when it is in force, with what else there is to know; 500 with every problem when the one before stays.
pub(super) async fn reload(State(service): State<Arc<Service>>) -> (StatusCode, String) {
    let Some(reload) = service.reload.get() else {
        return (
            StatusCode::NOT_FOUND,
            "There is nothing to load again.\n".to_owned(),
        );
    };
    match reload.reload().await {
        Ok(notices) => {
            let mut text = "The configuration was loaded again.\n".to_owned();
            for notice in notices {
                // Writing to a string does not fail.
                let _ = writeln!(text, "{notice}");
            }
            (StatusCode::OK, text)
        }
        Err(error) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("The configuration stays as it was: {error}\n"),
        ),
    }
}

/// Without the option, the path tells that there is one.
pub(super) async fn reload_is_off() -> (StatusCode, &'static str) {
    (
        StatusCode::FORBIDDEN,
        "Reloading over HTTP is off; start the exporter with --web.enable-lifecycle, or send it SIGHUP.\n",
    )
}
