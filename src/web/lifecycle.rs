//! `POST /-/reload`: reloads the configuration, if `--web.enable-lifecycle` allows it.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::service::Service;

/// 200 with notices if the new configuration is active; 500 with all problems if the current one stays.
pub(super) async fn reload(State(service): State<Arc<Service>>) -> (StatusCode, String) {
    let Some(reload) = &service.reload else {
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

/// Without the option: 403, with the option's name.
pub(super) async fn reload_is_off() -> (StatusCode, &'static str) {
    (
        StatusCode::FORBIDDEN,
        "Reloading over HTTP is off; start the exporter with --web.enable-lifecycle, or send it SIGHUP.\n",
    )
}
